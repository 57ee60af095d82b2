// Records of a stream, one a line in base64, as AWS's library for Lambda functions in Go reads them: a log event a line,
// as JSON.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	"github.com/aws/aws-lambda-go/events"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	told := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		message, err := events.CloudwatchLogsRawData{Data: lines.Text()}.Parse()
		if err != nil {
			log.Fatal(err)
		}
		for _, event := range message.LogEvents {
			if err := told.Encode([]any{event.ID, event.Timestamp, event.Message, message.Owner, message.MessageType,
				message.LogGroup, message.LogStream, message.SubscriptionFilters}); err != nil {
				log.Fatal(err)
			}
		}
	}
}
