"""Serves a model with llama.cpp's own server, on a free port of this machine, until it is told to stop.

python llama_server.py FILE CONTEXT [KEY]
"""

import signal
import sys

import xllamacpp


def main(file: str, context: int, key: str = "") -> None:
    params = xllamacpp.CommonParams()
    params.model.path = file
    params.n_ctx = context
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.fit_params = False
    params.cache_ram_mib = 0
    # One: threads that wait for each other spin, and the model is small.
    params.cpuparams.n_threads = 1
    params.n_threads_http = 4
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    if key:
        params.api_keys = [key]
    server = xllamacpp.Server(params)
    # The last line of the start: the tests wait for it.
    print(f"listening on {server.listening_address}", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


if __name__ == "__main__":
    # Before the server has threads: they inherit it, and the signal is waited for.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
