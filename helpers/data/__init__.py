"""What models learn from: tiny scenes, sets that ship or are loaded, noise, masks, batches. Imports no other room."""
