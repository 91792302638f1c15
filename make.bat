@echo This course runs on Linux and macOS; on Windows open a WSL terminal and run the same command there.
@exit /b 2
