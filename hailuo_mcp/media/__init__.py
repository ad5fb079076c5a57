"""Pictures in, facts about clips out; later frames and films."""
