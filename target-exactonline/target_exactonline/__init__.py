"""Singer target that keeps the accounts of Exact Online divisions equal to what it is sent."""
