"""One module for each place of the page: it reads what was asked, and answers with a page or the way to one."""
