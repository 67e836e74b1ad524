from exactonline_console.command import main

if __name__ == "__main__":
    main()
