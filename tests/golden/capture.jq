# What a capture must still tell after years: members of the contract, not the whole report.
{
	version, kernel, host, window, targets,
	latency: .exchanges.latency_ns,
	stages: [.exchanges.stages[] | [.stage, .count, .sum_ns, .p99_ns, .max_ns]],
	after: [.exchanges.after[] | [.stage, .count, .sum_ns]],
	worst: [.worst[] | [.latency_ns, .send_ns, .deliver_ns, .remote]],
	syscalls: [.syscalls[] | [.name, .count, .sum_ns]],
	wakeups: .sched.wakeups,
	loops: [.loops[] | [.tid, .comm, .turns, .events]],
	connections: [.connections.opened, .connections.closed],
	listeners: [.listeners[] | [.port, .limit]],
	loss: [.loss | to_entries[] | .value] | add,
	notes
}
