package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net"
	"net/http"
)

type event struct {
	Type   string          `json:"type"`
	Record json.RawMessage `json:"record"`
}

// Where the platform posts telemetry. What functions log goes to the shipper, the request id of each
// platform.runtimeDone to done.
func listen(port string, shipper *shipper, done chan<- string) error {
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	handler := func(response http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			log.Printf("telemetry: %v", err)
			response.WriteHeader(http.StatusBadRequest) // it comes again
			return
		}
		take(body, shipper, done)
	}
	go func() {
		log.Fatal(http.Serve(listener, http.HandlerFunc(handler)))
	}()
	return nil
}

func take(body []byte, shipper *shipper, done chan<- string) {
	var events []event
	if err := json.Unmarshal(body, &events); err != nil {
		// A body that is no JSON comes again when it is refused, so it is taken, and told.
		log.Printf("telemetry: %d bytes lost: %v", len(body), err)
		return
	}
	for _, one := range events {
		switch one.Type {
		case "function":
			shipper.add(message(one.Record))
		case "platform.runtimeDone":
			var record struct {
				RequestID string `json:"requestId"`
			}
			if err := json.Unmarshal(one.Record, &record); err == nil {
				done <- record.RequestID
			}
		}
	}
}

// The message of a record that is an object and has one; otherwise the record.
func message(record json.RawMessage) []byte {
	if !bytes.HasPrefix(record, []byte("{")) {
		return record
	}
	var object struct {
		Message json.RawMessage `json:"message"`
	}
	if err := json.Unmarshal(record, &object); err != nil || object.Message == nil || string(object.Message) == "null" {
		return record
	}
	return object.Message
}
