"""Files: folders and fences, pictures in, clips out."""
