"""Singer mapper that copies each account to every target division."""
