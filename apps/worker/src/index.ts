export { runWorker, type RunningWorker, type WorkerOptions } from './run-worker.ts'
export { WorkerSettings } from './settings.ts'
