// Package trial shows what a connector's configuration makes of records, step by
// step, without running the connector:
//
//	tried, err := trial.Run(ctx, rt, trial.Trial{
//		Name: "orders", Props: props,
//		Messages: []connect.Message{{TopicPartition: connect.TopicPartition{Topic: "orders"}, Value: []byte(`{"id": 1}`)}},
//	})
//	for _, step := range tried[0].Steps {
//		fmt.Println(step.Stage, step.Plugin, step.Record, step.Err)
//	}
//
// The Runtime lends its plugins and its worker's settings; it need not run. Nothing
// is written: not to Kafka, not to a target, not to a store. The command connect
// try prints trials.
package trial
