// A customer's program in TypeScript, on the client that openapi-generator made: enrol, find, forget. Prints JSON.
import { AuthApi, Configuration, ErrorBody, FaceApi, ResponseError, VerifyRequest } from "./client/index";

// Node's own, without its 2 MB of types.
declare const process: { argv: string[]; env: Record<string, string | undefined>; exitCode: number };
declare const require: (name: "fs") => { readFileSync(path: string, encoding: "base64"): string };

const { readFileSync } = require("fs");
const user = { userCode: "han/soo@예 1", name: "Han Soo" };

async function main(enrolled: string, shown: string) {
  const { BASE_URL: basePath = "", ACCESS_KEY: accessKey = "", SECRET_KEY: secretKey = "" } = process.env;
  const photo = readFileSync(enrolled, "base64");
  const again = readFileSync(shown, "base64");
  const auth = new AuthApi(new Configuration({ basePath }));
  const { token } = await auth.issueToken({ tokenRequest: { accessKey, secretKey } });
  const face = new FaceApi(new Configuration({ basePath, accessToken: token }));
  const registered = await face.registerFace({ registerRequest: { ...user, image: photo } });
  const verifyRequest: VerifyRequest = { userCode: user.userCode, image: again, context: "login" };
  const verified = await face.verifyFace({ verifyRequest });
  const identified = await face.identifyFace({ identifyRequest: { image: again } });
  const deleted = await face.deleteFace({ userCode: user.userCode });
  const then = await face.verifyFace({ verifyRequest }).catch(async (error: ResponseError) => {
    const body: ErrorBody = await error.response.json();
    return [error.response.status, body.errorCode];
  });
  return {
    registered: registered.code,
    verified: [verified.matched, verified.threshold],
    identified: [identified.uid, identified.name],
    deleted: deleted.success,
    then,
  };
}

main(process.argv[2], process.argv[3]).then(
  (told) => console.log(JSON.stringify(told)),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
