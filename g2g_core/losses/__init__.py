"""Loss terms by family, their schedules, and the menu that study files choose from."""
