"""What models learn from: the tiny scenes, the sets that ship or are downloaded, noise, masks, batches. Imports no other room."""
