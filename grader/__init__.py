"""Release, run, score, feedback, export and verify the course's labs."""
