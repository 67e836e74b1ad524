"""The one reader of sync feeds and deletion logs, for source companies and for mirrors of target companies."""
