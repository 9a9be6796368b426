"""A client of the greeting format: python3 hello-client.py PORT [base64]"""
import base64
import socket
import sys

encode = base64.b64encode if "base64" in sys.argv else bytes
decode = base64.b64decode if "base64" in sys.argv else bytes
channel = socket.socket()
channel.settimeout(10)
channel.connect(("127.0.0.1", int(sys.argv[1])))
channel.send(encode(b"Hello from client"))
print("answer=" + decode(channel.recv(1024)).decode())
channel.close()
