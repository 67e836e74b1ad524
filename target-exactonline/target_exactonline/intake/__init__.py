"""From Singer records to source records: checked, keyed, and kept until the run plans."""
