import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.Arrays;

/** As post.mjs. */
public class Post {
    public static void main(String[] args) throws Exception {
        var client = HttpClient.newHttpClient();
        var lines = new BufferedReader(new InputStreamReader(System.in)).lines().toList();
        for (var line : lines) {
            var row = line.split("\t");
            var header = row[3].split(": ");
            var body = new byte[Integer.parseInt(row[1])];
            Arrays.fill(body, (byte) 'x');
            var statuses = new ArrayList<String>();
            for (int i = 0; i < Integer.parseInt(args[1]); i++) {
                var request = HttpRequest.newBuilder(URI.create(args[0] + row[0]))
                        .header("Content-Type", row[2])
                        .header(header[0], header[1])
                        .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                        .build();
                try {
                    var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                    statuses.add(answer.body().startsWith("{") ? "" + answer.statusCode() : "no-json");
                } catch (Exception error) {
                    statuses.add(error.toString().replace(' ', '_'));
                }
            }
            System.out.println(String.join(" ", statuses));
        }
    }
}
