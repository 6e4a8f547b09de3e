import { defineConfig } from 'vitest/config'

// Workspace packages are read from their TypeScript sources (condition "source"), not from dist. Not 'import': Vitest hands
// these conditions to its workers' require() too.
const resolve = { conditions: ['source', 'node'] }
const shared = { ssr: { resolve }, environments: { __vitest__: { resolve } } } // the second is where globalSetup is loaded

const full = process.env['CULVERT_FULL'] === '1'
const network = ['**/*.net.test.ts', '**/*.net.full.test.ts']
/** What waits minutes for timers of real daemons and hardly works meanwhile. */
const patient = ['test/interop/strongswan/{adversity,device-life}.full.test.ts']
const always = ['**/node_modules/**', '**/dist/**', ...(full ? [] : ['**/*.full.test.ts'])]
/** What mocks modules, or weighs the memory of its process. */
const isolated = ['**/*.isolated.test.ts', 'test/fuzz/**/*.test.ts']
const exclude = [...always, ...network, ...isolated]
/** What is awaited comes late on a slow machine; what never comes ends here. */
const expect = { poll: { timeout: 20_000 } }
const setup = new URL('./test/setup/servers.ts', import.meta.url).pathname

/**
 * unit: no server, no privilege. service: real PostgreSQL (and Redis where there is one), a database per file. Their files share
 * processes, as loading modules anew for each file takes half as long again; isolated: no server either, but a process per file.
 * network: namespaces, TUN and real peers, one file at a time. patient: the same, beside the others, as it mostly waits.
 * `*.full.test.ts` runs only in `npm run test:full`.
 */
export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          expect,
          name: 'unit',
          include: [
            'packages/{bytes,crypto,eap,pki,esp,ikev2,dataplane,ike-driver,concentrator-core,lifecycle,device-config,webhooks,egress,contracts,config,identity,observability,sdk}/src/**/*.test.ts',
            'test/{vectors,sim,docs}/**/*.test.ts',
            'scripts/**/*.test.ts',
          ],
          exclude,
          isolate: false,
          testTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          expect,
          name: 'isolated',
          include: isolated,
          exclude: [...always, ...network],
          testTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          expect,
          name: 'service',
          include: [
            'packages/{db,queue,services,testkit}/src/**/*.test.ts',
            'apps/*/src/**/*.test.ts',
            'test/service/**/*.test.ts',
          ],
          exclude,
          isolate: false,
          globalSetup: [setup],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          expect,
          name: 'network',
          include: [
            'packages/*/src/**/*.net.{test,full.test}.ts',
            'apps/*/src/**/*.net.{test,full.test}.ts',
            'test/{interop,e2e,chaos}/**/*.test.ts',
          ],
          exclude: [...always, ...patient],
          globalSetup: [setup],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        ...shared,
        test: {
          expect,
          name: 'patient',
          include: patient,
          exclude: always,
          globalSetup: [setup],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
