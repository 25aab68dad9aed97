"""What statements of a profile, or of a player, say in their own ways. A module for each."""
