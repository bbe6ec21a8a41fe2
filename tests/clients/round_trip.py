"""A customer's program in Python, on the client that openapi-generator made: enrol, find, forget. Prints JSON."""

import base64
import json
import os
import sys
from pathlib import Path

import fidox_client

USER = {"user_code": "han/soo@예 1", "name": "Han Soo"}


def main(enrolled: str, shown: str) -> dict:
    photo = base64.b64encode(Path(enrolled).read_bytes()).decode()
    again = base64.b64encode(Path(shown).read_bytes()).decode()
    configuration = fidox_client.Configuration(host=os.environ["BASE_URL"])
    with fidox_client.ApiClient(configuration) as client:
        keys = fidox_client.TokenRequest(access_key=os.environ["ACCESS_KEY"], secret_key=os.environ["SECRET_KEY"])
        configuration.access_token = fidox_client.AuthApi(client).issue_token(keys).token
        face = fidox_client.FaceApi(client)
        registered = face.register_face(fidox_client.RegisterRequest(image=photo, **USER))
        verification = fidox_client.VerifyRequest(user_code=USER["user_code"], image=again, context="login")
        verified = face.verify_face(verification)
        identified = face.identify_face(fidox_client.IdentifyRequest(image=again))
        deleted = face.delete_face(USER["user_code"])
        try:
            face.verify_face(verification)
        except fidox_client.ApiException as error:
            status, code = error.status, error.data.error_code
    return {
        "registered": registered.code,
        "verified": [verified.matched, verified.threshold],
        "identified": [identified.uid, identified.name],
        "deleted": deleted.success,
        "then": [status, code],
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
