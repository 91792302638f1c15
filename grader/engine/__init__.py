"""Grade untrusted notebooks: forked kernels in a sandbox, a supervisor that alone writes marks."""
