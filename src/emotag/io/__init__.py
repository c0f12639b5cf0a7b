"""Reading and writing files: video, audio, typed artifacts, pictures."""
