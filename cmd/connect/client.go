package main

// clientCommands are those that ask a worker, by its REST interface: this
// project's, or Java's for what that has.
func clientCommands() []command {
	return []command{
		lsCommand(), statusCommand(), createCommand(), applyCommand(), validateCommand(),
		pauseCommand(), resumeCommand(), stopCommand(), restartCommand(), deleteCommand(),
		offsetsCommand(), logsCommand(), historyCommand(), rollbackCommand(),
		completionCommand(), completeCommand(),
	}
}
