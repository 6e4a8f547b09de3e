export { runCommand, type CommandIo } from './command.ts'
