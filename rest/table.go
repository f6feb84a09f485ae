package rest

import (
	"net/http"
	"slices"
)

// The parameters that several routes share.
func forwardParam() param {
	return param{"forward", "boolean", "Whether the worker may pass the request on to another one; set by workers."}
}

// table returns the routes of Handler, without /admin.
func (s *server) table() []route {
	return slices.Concat(rootRoutes(), connectorRoutes(), configRoutes(), stateRoutes(), taskRoutes(), offsetRoutes(), pluginRoutes(), internalRoutes(), additionRoutes())
}

func rootRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/", id: "serverInfo", quick: true,
		summary: "Version of the worker, and the Kafka cluster that it belongs to.",
		answers: map[int]string{200: "ServerInfo"}, handle: (*server).serverInfo,
	}, {
		method: http.MethodGet, path: "/health", id: "healthCheck", quick: true,
		summary: "Whether the worker is up (KIP-1017).",
		answers: map[int]string{200: "WorkerStatus", 500: "WorkerStatus", 503: "WorkerStatus"}, handle: (*server).health,
	}, {
		method: http.MethodGet, path: "/openapi.json", id: "openapi", quick: true,
		summary: "This document.",
		answers: map[int]string{200: "Document"}, handle: (*server).openapi,
	}}
}

func connectorRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/connectors", id: "listConnectors",
		summary: "Names of all connectors, or more about each.",
		query:   []param{{"expand", "expand", "status, info or both (repeated): an object by connector in place of the names."}},
		answers: map[int]string{200: "ConnectorList"}, handle: (*server).listConnectors,
	}, {
		method: http.MethodPost, path: "/connectors", id: "createConnector", leader: true,
		summary: "Create a connector.",
		query:   []param{forwardParam()}, body: "CreateConnectorRequest",
		answers: map[int]string{201: "ConnectorInfo"}, errors: []int{400, 409}, handle: (*server).createConnector,
	}, {
		method: http.MethodGet, path: "/connectors/{name}", id: "getConnector",
		summary: "Configuration and tasks of a connector.",
		answers: map[int]string{200: "ConnectorInfo"}, errors: []int{404}, handle: (*server).getConnector,
	}, {
		method: http.MethodDelete, path: "/connectors/{name}", id: "destroyConnector", leader: true,
		summary: "Delete a connector. Its offsets stay.",
		query:   []param{forwardParam()},
		answers: map[int]string{204: ""}, errors: []int{404, 409}, handle: (*server).deleteConnector,
	}}
}

func configRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/connectors/{name}/config", id: "getConnectorConfig",
		summary: "Configuration of a connector.",
		answers: map[int]string{200: "Config"}, errors: []int{404}, handle: (*server).getConfig,
	}, {
		method: http.MethodPut, path: "/connectors/{name}/config", id: "putConnectorConfig", leader: true,
		summary: "Create a connector, or replace its configuration.",
		query:   []param{forwardParam()}, body: "Config",
		answers: map[int]string{200: "ConnectorInfo", 201: "ConnectorInfo"}, errors: []int{400, 409}, handle: (*server).putConfig,
	}, {
		method: http.MethodPatch, path: "/connectors/{name}/config", id: "patchConnectorConfig", leader: true,
		summary: "Change some keys of a configuration; null removes a key (KIP-477).",
		query:   []param{forwardParam()}, body: "Config",
		answers: map[int]string{200: "ConnectorInfo"}, errors: []int{400, 404, 409}, handle: (*server).patchConfig,
	}}
}

func stateRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/connectors/{name}/status", id: "getConnectorStatus",
		summary: "State of a connector and of its tasks.",
		answers: map[int]string{200: "ConnectorStateInfo"}, errors: []int{404}, handle: (*server).getStatus,
	}, {
		method: http.MethodPut, path: "/connectors/{name}/pause", id: "pauseConnector",
		summary: "Suspend a connector and its tasks, which keep what they hold.",
		answers: map[int]string{202: ""}, errors: []int{404}, handle: (*server).pause,
	}, {
		method: http.MethodPut, path: "/connectors/{name}/resume", id: "resumeConnector",
		summary: "Go on after pause or stop.",
		answers: map[int]string{202: ""}, errors: []int{404}, handle: (*server).resume,
	}, {
		method: http.MethodPut, path: "/connectors/{name}/stop", id: "stopConnector", leader: true,
		summary: "End a connector and its tasks. Configuration and offsets stay (KIP-875).",
		query:   []param{forwardParam()},
		answers: map[int]string{204: ""}, errors: []int{404, 409}, handle: (*server).stop,
	}, {
		method: http.MethodPost, path: "/connectors/{name}/restart", id: "restartConnector", leader: true,
		summary: "Restart a connector, its tasks too if asked for (KIP-745).",
		query: []param{
			{"includeTasks", "boolean", "Whether tasks are restarted too; false if absent."},
			{"onlyFailed", "boolean", "Whether what has not failed is left alone; false if absent."},
			forwardParam(),
		},
		answers: map[int]string{202: "ConnectorStateInfo", 204: ""}, errors: []int{404, 409}, handle: (*server).restart,
	}, {
		method: http.MethodGet, path: "/connectors/{name}/topics", id: "getConnectorActiveTopics",
		summary: "Topics that a connector has used (KIP-558).",
		answers: map[int]string{200: "ActiveTopics"}, errors: []int{403}, handle: (*server).getTopics,
	}, {
		method: http.MethodPut, path: "/connectors/{name}/topics/reset", id: "resetConnectorActiveTopics",
		summary: "Forget which topics a connector has used.",
		answers: map[int]string{202: ""}, errors: []int{403}, handle: (*server).resetTopics,
	}}
}

func taskRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/connectors/{name}/tasks", id: "getTaskConfigs",
		summary: "Configurations of a connector's tasks.",
		answers: map[int]string{200: "TaskInfos"}, errors: []int{404}, handle: (*server).getTasks,
	}, {
		method: http.MethodGet, path: "/connectors/{name}/tasks/{task}/status", id: "getTaskStatus",
		summary: "State of a task.",
		answers: map[int]string{200: "TaskState"}, errors: []int{404}, handle: (*server).getTaskStatus,
	}, {
		method: http.MethodPost, path: "/connectors/{name}/tasks/{task}/restart", id: "restartTask", leader: true,
		summary: "Restart a task.",
		query:   []param{forwardParam()},
		answers: map[int]string{204: ""}, errors: []int{404, 409}, handle: (*server).restartTask,
	}}
}

func offsetRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/connectors/{name}/offsets", id: "getOffsets",
		summary: "Committed offsets of a connector (KIP-875).",
		answers: map[int]string{200: "ConnectorOffsets"}, errors: []int{404}, handle: (*server).getOffsets,
	}, {
		method: http.MethodPatch, path: "/connectors/{name}/offsets", id: "alterConnectorOffsets", leader: true,
		summary: "Change offsets of a stopped connector; an offset that is null resets its partition.",
		query:   []param{forwardParam()}, body: "ConnectorOffsets",
		answers: map[int]string{200: "Message"}, errors: []int{400, 404, 409}, handle: (*server).alterOffsets,
	}, {
		method: http.MethodDelete, path: "/connectors/{name}/offsets", id: "resetConnectorOffsets", leader: true,
		summary: "Forget all offsets of a stopped connector.",
		query:   []param{forwardParam()},
		answers: map[int]string{200: "Message"}, errors: []int{400, 404, 409}, handle: (*server).resetOffsets,
	}}
}

func pluginRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/connector-plugins", id: "listConnectorPlugins", quick: true,
		summary: "Plugins of the worker.",
		query:   []param{{"connectorsOnly", "boolean", "Whether transforms, predicates and converters are left out; true if absent."}},
		answers: map[int]string{200: "PluginInfos"}, handle: (*server).listPlugins,
	}, {
		method: http.MethodGet, path: "/connector-plugins/{name}/config", id: "getConnectorConfigDef", quick: true,
		summary: "Configuration keys of a plugin.",
		query:   []param{{"version", "string", "Version of the plugin, or a range such as [1.0,2.0) (KIP-891); the newest if absent."}},
		answers: map[int]string{200: "ConfigKeyInfos"}, errors: []int{400, 404}, handle: (*server).pluginConfig,
	}, {
		method: http.MethodPut, path: "/connector-plugins/{name}/config/validate", id: "validateConfigs",
		summary: "Whether a configuration is right, key by key. Nothing is created.",
		body:    "Config",
		answers: map[int]string{200: "ConfigInfos"}, errors: []int{400}, handle: (*server).validate,
	}}
}

func internalRoutes() []route {
	return []route{{
		method: http.MethodPost, path: "/connectors/{name}/tasks", id: "putTaskConfigs", leader: true, internal: true,
		summary: "Hand the task configurations of a connector to the leader. For workers, whose requests are signed (KIP-507).",
		query:   []param{forwardParam()}, body: "TaskConfigs",
		answers: map[int]string{204: ""}, errors: []int{400, 403, 404, 409, 503}, handle: (*server).putTaskConfigs,
	}, {
		method: http.MethodPut, path: "/connectors/{name}/fence", id: "fenceZombies", leader: true, internal: true,
		summary: "Fence out earlier tasks of an exactly-once source (KIP-618). For workers, whose requests are signed.",
		query:   []param{forwardParam()},
		answers: map[int]string{204: ""}, errors: []int{400, 403, 404, 409, 503}, handle: (*server).fence,
	}}
}

func adminRoutes() []route {
	return []route{{
		method: http.MethodGet, path: "/admin/loggers", id: "listLoggers", quick: true,
		summary: "Levels of the loggers in use (KIP-495).",
		answers: map[int]string{200: "LoggerLevels"}, handle: (*server).listLoggers,
	}, {
		method: http.MethodGet, path: "/admin/loggers/{name}", id: "getLogger", quick: true,
		summary: "Level of a logger.",
		answers: map[int]string{200: "LoggerLevel"}, errors: []int{404}, handle: (*server).getLogger,
	}, {
		method: http.MethodPut, path: "/admin/loggers/{name}", id: "setLevel",
		summary: "Set the level of a logger and of all below it.",
		query:   []param{{"scope", "scope", "worker, or cluster: all workers (KIP-976); worker if absent."}},
		body:    "LoggerChange",
		answers: map[int]string{200: "LoggerNames", 204: ""}, errors: []int{400, 404, 501}, handle: (*server).setLogger,
	}}
}
