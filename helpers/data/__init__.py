"""What models learn from: tiny scenes, the sets that ship or are downloaded, own pictures, noise, masks. Imports no other room."""
