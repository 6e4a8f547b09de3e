export { createHealthRegistry, type HealthCheck, type HealthRegistry, type HealthReport } from './health.ts'
export { createLogger, type Logger, type LogLevel } from './logger.ts'
export { redact, redactText } from './redact.ts'
