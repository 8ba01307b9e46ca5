"""The running stack: `./dev up` and `./dev down`, in containers or as processes. Host process only."""
