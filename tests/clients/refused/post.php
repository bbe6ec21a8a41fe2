<?php
// As post.mjs.
while (($line = fgets(STDIN)) !== false) {
    [$path, $bytes, $type, $header] = explode("\t", rtrim($line, "\n"));
    $statuses = [];
    for ($i = 0; $i < (int) $argv[2]; $i++) {
        $call = curl_init($argv[1] . $path);
        curl_setopt_array($call, [
            CURLOPT_POST => true,
            CURLOPT_POSTFIELDS => str_repeat("x", (int) $bytes),
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_HTTPHEADER => ["Content-Type: $type", $header],
        ]);
        $answer = curl_exec($call);
        $status = curl_getinfo($call, CURLINFO_RESPONSE_CODE);
        $statuses[] = $answer === false ? "curl-" . curl_errno($call) : (json_decode($answer) ? $status : "no-json");
    }
    echo implode(" ", $statuses), "\n";
}
