"""An invented county for one week: its numbers, its people, its firms and a rented cottage."""
