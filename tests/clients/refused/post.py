"""As post.mjs. http.client writes the whole body before it reads anything, and `requests` stands on it."""

import http.client
import json
import sys
from urllib.parse import urlsplit

host = urlsplit(sys.argv[1]).netloc
for line in sys.stdin:
    path, size, kind, header = line.rstrip("\n").split("\t")
    name, _, value = header.partition(": ")
    statuses = []
    for _ in range(int(sys.argv[2])):
        connection = http.client.HTTPConnection(host, timeout=60)
        try:
            connection.request("POST", path, b"x" * int(size), {"Content-Type": kind, name: value})
            answer = connection.getresponse()
            json.loads(answer.read())
            statuses.append(str(answer.status))
        except (OSError, ValueError, http.client.HTTPException) as error:
            statuses.append(type(error).__name__)
        finally:
            connection.close()
    print(*statuses)
