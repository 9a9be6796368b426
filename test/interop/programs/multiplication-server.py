"""A server of the multiplication format: python3 multiplication-server.py [together | slow | crash]

Prints its port. Default: two writes at once; together: one write; slow: a byte at a time; crash: no result.
"""
import socket
import sys
import threading
import time

how = sys.argv[1] if len(sys.argv) > 1 else "apart"


def serve(channel):
    with channel:
        words = channel.recv(1024).decode().split()
        acknowledgement = b"Data received"
        product = str(float(words[0]) * float(words[1])).encode()
        if how == "together":
            channel.sendall(acknowledgement + product)
        elif how == "slow":
            for byte in acknowledgement + product:
                channel.sendall(bytes((byte,)))
                time.sleep(0.002)
        elif how == "crash":
            channel.sendall(acknowledgement)
        else:
            channel.sendall(acknowledgement)
            channel.sendall(product)


door = socket.create_server(("127.0.0.1", 0), backlog=64)
print("port", door.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()
