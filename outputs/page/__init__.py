"""The script and style of the map page; plain files, put into the page as they are."""
