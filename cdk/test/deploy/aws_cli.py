"""AWS's command line, loaded once: most of the time that a call takes is for its start.

  aws_cli.py serve SOCKET     prints a line when it is ready, and ends with standard input
  aws_cli.py SOCKET WORD...   runs `aws WORD...` there, with this process's environment, folder and standard streams
"""

import json
import os
import select
import signal
import socket
import sys


def ask(path, words):
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(path)
        request = json.dumps([words, dict(os.environ), os.getcwd()]).encode()
        socket.send_fds(server, [b"%8d" % len(request)], [0, 1, 2])
        server.sendall(request)
        return server.recv(1)[0]


def answer(client):
    size, streams, _, _ = socket.recv_fds(client, 8, 3)
    words, environment, folder = json.loads(client.recv(int(size), socket.MSG_WAITALL))
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    where = os.environ["AWS_DATA_PATH"]  # set when it was loaded
    os.environ.clear()
    os.environ.update(environment, AWS_DATA_PATH=where)
    os.chdir(folder)
    sys.argv = ["aws", *words]
    from awscli.clidriver import main

    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    client.send(bytes([status]))


def serve(path):
    import awscli.clidriver
    import awscli.handlers  # noqa: F401

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    print("ready", flush=True)
    poll = select.poll()
    poll.register(0, select.POLLHUP | select.POLLIN)
    poll.register(listener, select.POLLIN)
    while all(fd != 0 for fd, _ in poll.poll()):
        client, _ = listener.accept()
        if os.fork() == 0:
            answer(client)
            os._exit(0)
        client.close()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        serve(sys.argv[2])
    else:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
