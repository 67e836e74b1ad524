"""What a run says of itself: outcomes, STATE, report, progress, metrics, webhook."""
