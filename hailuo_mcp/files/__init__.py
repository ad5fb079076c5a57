"""Files: the allowed folders, pictures in, clips out."""
