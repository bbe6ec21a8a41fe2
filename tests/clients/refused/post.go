// As post.mjs.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
)

func status(url string, size int, kind string, header []string) string {
	request, err := http.NewRequest("POST", url, bytes.NewReader(bytes.Repeat([]byte("x"), size)))
	if err != nil {
		return strings.ReplaceAll(err.Error(), " ", "_")
	}
	request.Header.Set("Content-Type", kind)
	request.Header.Set(header[0], header[1])
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return strings.ReplaceAll(err.Error(), " ", "_")
	}
	defer answer.Body.Close()
	var told map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&told); err != nil {
		return "no-json"
	}
	return strconv.Itoa(answer.StatusCode)
}

func main() {
	tries, _ := strconv.Atoi(os.Args[2])
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		row := strings.Split(lines.Text(), "\t")
		size, _ := strconv.Atoi(row[1])
		statuses := make([]string, tries)
		for i := range statuses {
			statuses[i] = status(os.Args[1]+row[0], size, row[2], strings.SplitN(row[3], ": ", 2))
		}
		fmt.Println(strings.Join(statuses, " "))
	}
}
