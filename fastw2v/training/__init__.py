"""Parameters, schedule and the threads that run the kernels."""
