"""Features of sites, one file a family."""
