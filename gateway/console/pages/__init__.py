"""The console's pages: one module and one template each."""
