"""Published weights: where they lie, and a download that resumes and is checked."""
