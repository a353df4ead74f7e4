"""What models learn from: tiny scenes, sets that ship or are downloaded, own pictures, noise. Imports no other room."""
