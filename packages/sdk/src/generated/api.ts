/* Generated from the OpenAPI document of the API by `npm run docs`: not to be edited. */
export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Public keys that access tokens are signed with, as a JWK Set (RFC 7517) */
        get: operations["getKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/errors/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What an error code means
         * @description JSON, or a page for people where `Accept` asks for HTML. `type` of every problem leads here.
         */
        get: operations["explainError"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process answers */
        get: operations["live"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The process can serve */
        get: operations["ready"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List API keys, without revoked ones */
        get: operations["listApiKeys"];
        put?: never;
        /**
         * Make an API key
         * @description The key is in this answer only. It may do nothing that the caller may not do; made by a key, it ends no later than that one and is good from nowhere else, which is also what it has when nothing is said.
         */
        post: operations["createApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/api-keys/{apiKeyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read an API key, without its secret */
        get: operations["getApiKey"];
        put?: never;
        post?: never;
        /** Revoke an API key, at once, with the grants to it and its SSH keys */
        delete: operations["deleteApiKey"];
        options?: never;
        head?: never;
        /**
         * Change an API key: its name, what it may do, from where and until when
         * @description It holds for the next call made with the key. A key makes no other one more than it was beyond its own end, or for addresses that it is not good from itself.
         */
        patch: operations["updateApiKey"];
        trace?: never;
    };
    "/v1/api-keys/{apiKeyId}/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give an API key a new secret
         * @description The new key is in this answer only; the one so far stays good for `overlapSec`. The key has another year then, unless `expiresAt` says otherwise, it never expires, or the key that asks ends before. So a key that rotates itself keeps its end: a person, or a key that lasts longer, gives it another one.
         */
        post: operations["rotateApiKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/attachments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Attachments of all devices, without their SAs
         * @description All filters that are given must hold. A page may have fewer items than `limit`, even none, although `nextCursor` says that there are more: each call looks at a bounded part.
         */
        get: operations["listAttachments"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit-log": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read the audit log, newest first
         * @description Every change of configuration and every denial, with who asked for it. Entries are chained: each has the hash of the one before.
         */
        get: operations["listAuditEntries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/audit-log/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The audit log as NDJSON or CSV, newest first
         * @description All entries that the filters choose, as a stream. In CSV, `before` and `after` are JSON, and a cell that a spreadsheet would compute has an apostrophe before it.
         */
        get: operations["exportAuditEntries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/callback": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Where the identity provider sends the browser back to */
        get: operations["finishLogin"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Go to the identity provider; for browsers
         * @description Who was invited says so with `invitation`: no login accepts an invitation by itself. The address that was invited must be the one that the provider has verified.
         */
        get: operations["logIn"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the session; its access tokens are refused at once */
        post: operations["logOut"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/auth/token": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Get a new access token, for the same organization or another one
         * @description The refresh token is good once: keep the one in the answer.
         */
        post: operations["refreshToken"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/automation-rules": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List automation rules, newest first */
        get: operations["listAutomationRules"];
        put?: never;
        /**
         * Make an automation rule
         * @description It runs once for each event that happens from now on. Who makes it must hold the permissions of what it does (`tunnels:write` to open a tunnel, `events:read` to call a URL, and `webhooks:write` to deliver to an endpoint), and it acts with the rights that its maker has when it runs.
         */
        post: operations["createAutomationRule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/automation-rules/{ruleId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read an automation rule */
        get: operations["getAutomationRule"];
        put?: never;
        post?: never;
        /** Delete an automation rule and its runs */
        delete: operations["deleteAutomationRule"];
        options?: never;
        head?: never;
        /**
         * Change, stop or start an automation rule
         * @description Who changes it is its maker then, and must hold the permissions of all it does. A run that has begun goes on as the rule was, with the rights of its maker then. `actions` are given whole, with their URLs, or not at all.
         */
        patch: operations["updateAutomationRule"];
        trace?: never;
    };
    "/v1/automation-rules/{ruleId}/dry-run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a rule would have done with past events
         * @description Nothing is done. Tags and networks of devices are compared as they are now; limits are left out. Takes `events:read` as well.
         */
        post: operations["dryRunAutomationRule"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/automation-rules/{ruleId}/runs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the runs of an automation rule, newest first
         * @description Kept for 30 days. Takes `events:read` as well.
         */
        get: operations["listRuleRuns"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/automation-rules/dry-run": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * What a rule that is not made yet would have done with past events
         * @description Nothing is done, and no rule is made. Takes `events:read` as well.
         */
        post: operations["dryRunAutomationRuleDraft"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ca": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Certificates of the authorities that concentrators and devices are certified by, in PEM */
        get: operations["getAuthorities"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ca/crl": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Revocation list of the authority that signs, in DER (RFC 5280) */
        get: operations["getRevocationList"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/concentrators": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Concentrators that devices attach to */
        get: operations["listConcentrators"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/concentrators/{nodeId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a concentrator */
        get: operations["getConcentrator"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/config-links/{token}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** A page with a button, for browsers; reading it changes nothing */
        get: operations["showConfigLink"];
        put?: never;
        /** Get the configuration, once */
        post: operations["openConfigLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Access log of all tunnels: who connected where, and who was refused
         * @description All filters that are given must hold. A page may have fewer items than `limit`, even none, although `nextCursor` says that there are more: each call looks at a bounded part.
         */
        get: operations["listAllConnections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/credentials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the credentials of all devices, without secrets
         * @description What expires next month: `?state=active&expiresBefore=...&sort=expiresAt`. Chains of certificates are left out: read the credential. All filters that are given must hold. A page may have fewer items than `limit`, even none, although `nextCursor` says that there are more: each call looks at a bounded part.
         */
        get: operations["listAllCredentials"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/device-authorities": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the certificate authorities of the organization */
        get: operations["listDeviceAuthorities"];
        put?: never;
        /**
         * Register a certificate authority whose certificates devices may have
         * @description It counts for credentials of this organization that name it, and for nothing else: a certificate of it lets nobody in by itself. Other organizations may register the same one.
         */
        post: operations["createDeviceAuthority"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/device-authorities/{authorityId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a certificate authority of the organization, with the state of its list of revoked certificates */
        get: operations["getDeviceAuthority"];
        put?: never;
        post?: never;
        /**
         * Delete an authority, and revoke every credential that it issued
         * @description Devices that are attached with one of those are detached at once and cannot come back with it.
         */
        delete: operations["deleteDeviceAuthority"];
        options?: never;
        head?: never;
        /**
         * Change the name of an authority, or how its list of revoked certificates is used
         * @description What a list has revoked stays revoked. With another `url`, or after `off`, the list is asked for at once, though never twice in a minute, and its number may begin anew.
         */
        patch: operations["updateDeviceAuthority"];
        trace?: never;
    };
    "/v1/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List devices
         * @description All filters that are given must hold. A page may have fewer items than `limit`, even none, although `nextCursor` says that there are more: each call looks at a bounded part.
         */
        get: operations["listDevices"];
        put?: never;
        /**
         * Register a device
         * @description Gives the device a stable inner address and the identity it claims in IKEv2.
         */
        post: operations["createDevice"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{deviceId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a device */
        get: operations["getDevice"];
        put?: never;
        post?: never;
        /**
         * Delete a device
         * @description Revokes its credentials, detaches it and closes its tunnels.
         */
        delete: operations["deleteDevice"];
        options?: never;
        head?: never;
        /** Change a device */
        patch: operations["updateDevice"];
        trace?: never;
    };
    "/v1/devices/{deviceId}/attachment": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** How the device is attached: IKE SAs and Child SAs with transforms, selectors, counters and ages */
        get: operations["getAttachment"];
        put?: never;
        post?: never;
        /**
         * Detach the device now
         * @description Its SAs are deleted. The device may come back at once: revoke its credentials to keep it out.
         */
        delete: operations["detachDevice"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{deviceId}/attempts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Failed attempts of the device to attach, newest first
         * @description The last hundred, for 30 days. One that ended before it gave an identity is here only if it came from where this device was last and nobody else was.
         */
        get: operations["listAttempts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{deviceId}/config": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Configuration for the device, with a marker where the secret goes
         * @description A secret cannot be read back: put what was shown when the credential was issued in the place of the marker, or make a one-time link, which gives the whole with a new secret in it.
         */
        get: operations["getDeviceConfig"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{deviceId}/config-links": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a link that gives the configuration with its secret, once
         * @description For whoever sets the device up. The secret is in the configuration and nowhere else: the link is its key, and it is in this answer only.
         */
        post: operations["createConfigLink"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{deviceId}/config-links/{configLinkId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Withdraw a link that was not used
         * @description What was issued for it stays: revoke the credentials when nobody shall have them.
         */
        delete: operations["withdrawConfigLink"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{deviceId}/credentials": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the credentials of a device, without secrets
         * @description Chains of certificates are left out: read the credential.
         */
        get: operations["listCredentials"];
        put?: never;
        /**
         * Issue a credential
         * @description A secret is in this answer only. Two credentials of a kind may be active, so that a device can be moved to a new one. Of those that ended, the latest are kept. A certificate is made by request (`csr`), or is one that an authority of the organization has issued (`authorityId`, `certificate`).
         */
        post: operations["issueCredential"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{deviceId}/credentials/{credentialId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a credential, without its secret; a certificate is part of it */
        get: operations["getCredential"];
        put?: never;
        post?: never;
        /**
         * Revoke a credential
         * @description What was attached with it is detached; what was attached with another one stays. A certificate goes onto the revocation list. When no other credential is left, the tunnels of the device are closed.
         */
        delete: operations["revokeCredential"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/{deviceId}/sas": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was negotiated with the device: its IKE SAs with their Child SAs, counters and time since the last rekey
         * @description None while it is not attached. `ageSec` counts from when the SA was made, by an attachment or a rekey.
         */
        get: operations["listSas"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/batch-delete": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Delete many devices
         * @description Those that `filter` chooses, or all. `result` tells how many fitted and how many were deleted.
         */
        post: operations["deleteDevices"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/batch-update": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Change many devices
         * @description Those that `filter` chooses, or all. `result` tells how many fitted and how many were changed.
         */
        post: operations["updateDevices"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Devices as NDJSON or CSV
         * @description All that the filters choose, as a stream, in no particular order. In CSV, lists are separated by semicolons, and a cell that a spreadsheet would compute has an apostrophe before it.
         */
        get: operations["exportDevices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/devices/import": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Register many devices
         * @description NDJSON: each line is what `POST /v1/devices` takes. CSV: the first line names those fields; lists (`tags`, `lanPrefixes`, `proposalTiers`) are separated by semicolons. At most 64 MiB. Rows with faults are left out and told by `/v1/operations/{id}/errors`; the others are registered. A rehearsal does not see that a network is full.
         */
        post: operations["importDevices"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read events, oldest first, or have them streamed
         * @description In order: of each resource by `sequence`, and an event that was told never gets another one before it. Keep `nextCursor`; who comes
         *     again with it misses nothing, for as long as events are kept.
         *
         *     With `Accept: text/event-stream` events come as they happen, as server-sent events: `id` is a cursor, `data` an event as JSON, and
         *     `Last-Event-ID` goes on after one. A stream ends when its key does, and when it is not read.
         */
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{eventId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read an event */
        get: operations["getEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/gateways": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Gateways that customers connect to */
        get: operations["listGateways"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/gateways/{nodeId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a gateway */
        get: operations["getGateway"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/grants": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List grants, with those that ended of late */
        get: operations["listGrants"];
        put?: never;
        /**
         * Let a member or an API key open some tunnels for a while
         * @description It is for whoever may open only what is granted: members with the role `viewer`, and keys with `tunnels:open_granted`. It is looked at when a tunnel is opened and when it is extended; when it ends, its tunnels close.
         */
        post: operations["createGrant"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/grants/{grantId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a grant */
        get: operations["getGrant"];
        put?: never;
        post?: never;
        /**
         * Revoke a grant
         * @description Tunnels that it allowed are closed with the reason `grant_ended`. Revoking it again is no error.
         */
        delete: operations["revokeGrant"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Who calls, and what it may do */
        get: operations["getCaller"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List members and invitations */
        get: operations["listMembers"];
        put?: never;
        /**
         * Invite somebody by e-mail address
         * @description No mail is sent: give the person `acceptUrl`. The invitation is good for 14 days, and is accepted by a login there of who the identity provider says has that address; no other login accepts it.
         */
        post: operations["inviteMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/members/{memberId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a member */
        get: operations["getMember"];
        put?: never;
        post?: never;
        /**
         * Remove a member, or take an invitation back
         * @description Tokens of the person are refused at once, its SSH keys are deleted, and grants to it end with their tunnels. API keys that the person made stay: look at `createdBy`.
         */
        delete: operations["removeMember"];
        options?: never;
        head?: never;
        /**
         * Change the role of a member, lock it out, or let it in again
         * @description It holds for the next call.
         */
        patch: operations["updateMember"];
        trace?: never;
    };
    "/v1/members/{memberId}/sign-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * End all sessions of a member in this organization
         * @description Sessions that the person has begun are not good for this organization any more, on whatever device they are: its access tokens are refused at once, and it has to log in again. Its sessions elsewhere, and API keys and tunnels, go on.
         */
        post: operations["signOutMember"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/networks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List networks */
        get: operations["listNetworks"];
        put?: never;
        /**
         * Make a network
         * @description Devices join it with `networkId` when they are registered.
         */
        post: operations["createNetwork"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/networks/{networkId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a network */
        get: operations["getNetwork"];
        put?: never;
        post?: never;
        /** Delete a network that has no devices */
        delete: operations["deleteNetwork"];
        options?: never;
        head?: never;
        /**
         * Change what a network sets for its devices
         * @description An attached device gets it when it attaches next; one that uses a tier no longer allowed is detached.
         */
        patch: operations["updateNetwork"];
        trace?: never;
    };
    "/v1/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List operations, newest first */
        get: operations["listOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{operationId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read an operation, or wait for its end
         * @description With `wait` the answer comes when the operation is done or the time is up, whatever is first.
         */
        get: operations["getOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{operationId}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Cancel an operation
         * @description It ends after the batch it is at. What it has done stays done.
         */
        post: operations["cancelOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{operationId}/errors": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Rows with faults, as NDJSON
         * @description One JSON object on each line: `row` (from 1), `pointer` (JSON pointer into the row), `message`. At most 10 000; `failed` counts all.
         */
        get: operations["getOperationErrors"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/organization": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the organization of the caller */
        get: operations["getOrganization"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /** Change the organization */
        patch: operations["updateOrganization"];
        trace?: never;
    };
    "/v1/signing-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Keys whose access tokens are good */
        get: operations["listSigningKeys"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/signing-keys/{kid}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /**
         * Refuse what a key has signed, at once
         * @description Another one signs, which is made if there is none. People get new tokens with their refresh tokens.
         */
        delete: operations["revokeSigningKey"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/signing-keys/rotate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign access tokens with another key from now on
         * @description Without this call keys follow one another every 30 days. Who keeps a copy of the JWK Set has the new key within five minutes; this API takes it at once.
         */
        post: operations["rotateSigningKeys"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ssh-keys": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List SSH keys */
        get: operations["listSshKeys"];
        put?: never;
        /**
         * Register the SSH key of a member or of an automation
         * @description Who has the private key will act as its owner: for another owner than oneself it takes `members:write` or `api_keys:write`, and whatever that owner may do. It goes with its owner.
         */
        post: operations["createSshKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/ssh-keys/{sshKeyId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read an SSH key */
        get: operations["getSshKey"];
        put?: never;
        post?: never;
        /** Delete an SSH key */
        delete: operations["deleteSshKey"];
        options?: never;
        head?: never;
        /** Change the name of an SSH key, or until when it is good */
        patch: operations["updateSshKey"];
        trace?: never;
    };
    "/v1/tunnels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List tunnels
         * @description All filters that are given must hold. A page may have fewer items than `limit`, even none, although `nextCursor` says that there are more: each call looks at a bounded part.
         */
        get: operations["listTunnels"];
        put?: never;
        /**
         * Open a tunnel to a TCP port of a device, or of a host on a LAN behind it
         * @description Waits up to `wait` seconds for the tunnel to open. Without `allowFrom` only the address this call comes from may connect: name the networks of your users when they are elsewhere, such as `["0.0.0.0/0"]` for everybody.
         */
        post: operations["openTunnel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tunnels/{tunnelId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a tunnel */
        get: operations["getTunnel"];
        put?: never;
        post?: never;
        /**
         * Close a tunnel and all its connections
         * @description Closing a tunnel that has ended is no error.
         */
        delete: operations["closeTunnel"];
        options?: never;
        head?: never;
        /**
         * Extend a tunnel, change who may connect, or its limits
         * @description `ttlSec` counts from now. Connections that stay allowed go on. Limits act at once, but not on connections that began while there was none.
         */
        patch: operations["updateTunnel"];
        trace?: never;
    };
    "/v1/tunnels/{tunnelId}/connections": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Access log of a tunnel: who connected and who was refused */
        get: operations["listConnections"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/usage": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read what was used
         * @description Rows by device, tunnel or for the organization, each of an hour or a day; hours without use have none. Figures are at most a minute behind the nodes that count, which report every ten seconds; time attached is a quarter of an hour behind while it lasts. What a node could not report in time counts for the hour in which it did.
         */
        get: operations["listUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/usage-thresholds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List thresholds of usage, newest first */
        get: operations["listUsageThresholds"];
        put?: never;
        /**
         * Tell when so much of a day or month is used
         * @description Of a device, of all devices with a tag, or of the organization. An event `usage.threshold` is written for each percent, once in a period; what is reached already is told too.
         */
        post: operations["createUsageThreshold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/usage-thresholds/{thresholdId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a threshold of usage */
        get: operations["getUsageThreshold"];
        put?: never;
        post?: never;
        /** Delete a threshold of usage */
        delete: operations["deleteUsageThreshold"];
        options?: never;
        head?: never;
        /**
         * Change a threshold of usage
         * @description With other octets or percents it tells anew what is reached in this period.
         */
        patch: operations["updateUsageThreshold"];
        trace?: never;
    };
    "/v1/usage/export": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Usage as NDJSON or CSV
         * @description All rows of the list, as a stream in its order.
         */
        get: operations["exportUsage"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List webhook endpoints, newest first */
        get: operations["listWebhookEndpoints"];
        put?: never;
        /**
         * Have events delivered to a URL
         * @description The secret is in this answer only. Events from now on are delivered; `/replay` brings earlier ones. Takes `events:read` as well.
         */
        post: operations["createWebhookEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read a webhook endpoint, without its secret */
        get: operations["getWebhookEndpoint"];
        put?: never;
        post?: never;
        /**
         * Delete a webhook endpoint, with the log of its deliveries
         * @description What waits is not delivered any more.
         */
        delete: operations["deleteWebhookEndpoint"];
        options?: never;
        head?: never;
        /**
         * Change a webhook endpoint, or disable it
         * @description Filters hold for events from now on; a URL also for what waits to be delivered. Takes `events:read` as well.
         */
        patch: operations["updateWebhookEndpoint"];
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List deliveries to an endpoint, newest first
         * @description They are kept for 30 days. All filters that are given must hold. A page may have fewer items than `limit`, even none, although `nextCursor` says that there are more: each call looks at a bounded part. Takes `events:read` as well.
         */
        get: operations["listWebhookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}/deliveries/{deliveryId}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Read a delivery, with its attempts: what was sent and what came back
         * @description Takes `events:read` as well.
         */
        get: operations["getWebhookDelivery"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}/deliveries/{deliveryId}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deliver one event again
         * @description With the same `webhook-id`. Its retry schedule begins anew. Waits a while for the answer. Takes `events:read` as well.
         */
        post: operations["replayWebhookDelivery"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Enable an endpoint, and deliver what it missed
         * @description One call after an outage. What failed since the first failure, and what came while it was disabled, is delivered by the `operation`; null when nothing was missed. Takes `events:read` as well.
         */
        post: operations["enableWebhookEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}/replay": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deliver past events again, or for the first time
         * @description Those that the filters of the endpoint choose now: since a time, or after a cursor of the feed. `result` tells how many events there were, and how many are delivered. One at a time for each endpoint. Takes `events:read` as well.
         */
        post: operations["replayWebhookEvents"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Give a webhook endpoint a new key
         * @description The secret is in this answer only. For `overlapSec` deliveries are signed with the key so far as well: receivers may change when they like.
         */
        post: operations["rotateWebhookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{endpointId}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Deliver a `webhook.test` event to an endpoint
         * @description To this endpoint, whatever types it wants, and to no other. Waits a while for the answer.
         */
        post: operations["testWebhookEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface webhooks {
    "api_key.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An API key was made. */
        post: operations["onApi_keyCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "api_key.revoked": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An API key was revoked. */
        post: operations["onApi_keyRevoked"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "api_key.rotated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An API key got a new secret. */
        post: operations["onApi_keyRotated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "api_key.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An API key was changed. */
        post: operations["onApi_keyUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "concentrator.draining": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A concentrator sends its devices to another one. */
        post: operations["onConcentratorDraining"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "concentrator.lost": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A concentrator fell silent; its devices count as offline. */
        post: operations["onConcentratorLost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "concentrator.online": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A concentrator where devices of the organization are, or were last, is ready. */
        post: operations["onConcentratorOnline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "concentrator.stopped": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A concentrator was stopped. */
        post: operations["onConcentratorStopped"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "config_link.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A one-time link was made. */
        post: operations["onConfig_linkCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "config_link.used": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A one-time link was used. */
        post: operations["onConfig_linkUsed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "config_link.withdrawn": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A one-time link was taken back. */
        post: operations["onConfig_linkWithdrawn"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "connection.closed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A connection through a tunnel ended. */
        post: operations["onConnectionClosed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "connection.denied": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A connection to a tunnel was refused, or came to nothing. */
        post: operations["onConnectionDenied"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "connection.opened": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A connection through a tunnel was opened. */
        post: operations["onConnectionOpened"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "credential.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A credential was issued, or a certificate was asked for. */
        post: operations["onCredentialCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "credential.expired": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The time of a credential is over. */
        post: operations["onCredentialExpired"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "credential.expiring": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A credential ends soon: 14 days before, or after two thirds of its time if that is later. */
        post: operations["onCredentialExpiring"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "credential.issued": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A certificate was signed. */
        post: operations["onCredentialIssued"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "credential.refused": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A certificate request was refused. */
        post: operations["onCredentialRefused"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "credential.revoked": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A credential was revoked. */
        post: operations["onCredentialRevoked"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "credential.rotated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A device attached with another credential than before: the former one can be revoked. */
        post: operations["onCredentialRotated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device_authority.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An authority of devices was registered. */
        post: operations["onDevice_authorityCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device_authority.deleted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An authority was deleted; the credentials that it issued are revoked. */
        post: operations["onDevice_authorityDeleted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device_authority.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Fields of an authority were changed. */
        post: operations["onDevice_authorityUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device.attempt_failed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A device, or somebody who claimed to be it, could not attach. */
        post: operations["onDeviceAttempt_failed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A device was registered. */
        post: operations["onDeviceCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device.deleted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A device was deleted; its credentials are revoked and its tunnels closed. */
        post: operations["onDeviceDeleted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device.moved": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An attached device has another outer address, or is attached to another concentrator. */
        post: operations["onDeviceMoved"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device.offline": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A device is no longer attached, and did not come back at once. */
        post: operations["onDeviceOffline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device.online": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A device attached. */
        post: operations["onDeviceOnline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device.quota_exhausted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The quota of a device stopped its traffic, told once in its period, and again for another quota. */
        post: operations["onDeviceQuota_exhausted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "device.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Fields of a device were changed. */
        post: operations["onDeviceUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "gateway.draining": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A gateway takes no new tunnels; those there are go on. */
        post: operations["onGatewayDraining"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "gateway.lost": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A gateway fell silent; its tunnels fail. */
        post: operations["onGatewayLost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "gateway.online": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A gateway with tunnels of the organization is ready. */
        post: operations["onGatewayOnline"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "gateway.stopped": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A gateway was stopped. */
        post: operations["onGatewayStopped"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "grant.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Somebody may open tunnels that it could not. */
        post: operations["onGrantCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "grant.revoked": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A grant was revoked; its tunnels are closed. */
        post: operations["onGrantRevoked"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "member.invited": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Somebody was invited. */
        post: operations["onMemberInvited"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "member.joined": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Somebody accepted an invitation. */
        post: operations["onMemberJoined"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "member.removed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A member or an invitation was removed. */
        post: operations["onMemberRemoved"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "member.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A member has another role, is kept out, or is let in again. */
        post: operations["onMemberUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "network.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A network was made. */
        post: operations["onNetworkCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "network.deleted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A network was deleted. */
        post: operations["onNetworkDeleted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "network.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Fields of a network were changed. */
        post: operations["onNetworkUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "operation.cancelled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An operation was cancelled. */
        post: operations["onOperationCancelled"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "operation.failed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An operation could not be done. */
        post: operations["onOperationFailed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "operation.started": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An operation was asked for. */
        post: operations["onOperationStarted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "operation.succeeded": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An operation is done. */
        post: operations["onOperationSucceeded"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "organization.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** The organization was changed. */
        post: operations["onOrganizationUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "rule.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An automation rule was made. */
        post: operations["onRuleCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "rule.deleted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An automation rule was deleted. */
        post: operations["onRuleDeleted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "rule.disabled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An automation rule was stopped: it failed again and again, or its maker may not do what it does. */
        post: operations["onRuleDisabled"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "rule.ran": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An automation rule has run for an event. */
        post: operations["onRuleRan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "rule.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An automation rule was changed. */
        post: operations["onRuleUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "sa.rekeyed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Security associations of a device have new keys. */
        post: operations["onSaRekeyed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "ssh_key.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An SSH key was registered. */
        post: operations["onSsh_keyCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "ssh_key.deleted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An SSH key was deleted, or went with its owner. */
        post: operations["onSsh_keyDeleted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "ssh_key.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** An SSH key was changed. */
        post: operations["onSsh_keyUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tunnel.closed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A tunnel was closed. */
        post: operations["onTunnelClosed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tunnel.draining": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A tunnel ends: the gateway closes its ports. */
        post: operations["onTunnelDraining"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tunnel.expired": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A tunnel reached its end. */
        post: operations["onTunnelExpired"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tunnel.failed": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A tunnel could not be opened, or broke. */
        post: operations["onTunnelFailed"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tunnel.opened": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A tunnel is open: connect to host and port. */
        post: operations["onTunnelOpened"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tunnel.opening": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A gateway opens a tunnel. */
        post: operations["onTunnelOpening"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tunnel.requested": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A tunnel was asked for. */
        post: operations["onTunnelRequested"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tunnel.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A tunnel was extended or changed. */
        post: operations["onTunnelUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "tunnel.waiting_for_device": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A tunnel waits for its device. */
        post: operations["onTunnelWaiting_for_device"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "usage_threshold.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A threshold of usage was made. */
        post: operations["onUsage_thresholdCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "usage_threshold.deleted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A threshold of usage was deleted. */
        post: operations["onUsage_thresholdDeleted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "usage_threshold.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A threshold of usage was changed. */
        post: operations["onUsage_thresholdUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "usage.threshold": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** So many percent of a threshold are used, told once in its day or month. */
        post: operations["onUsageThreshold"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.created": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A webhook endpoint was made. */
        post: operations["onWebhookCreated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.deleted": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A webhook endpoint was deleted. */
        post: operations["onWebhookDeleted"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.disabled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A webhook endpoint is disabled: by a call, because it answered 410, or after days of only failures. */
        post: operations["onWebhookDisabled"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.enabled": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A webhook endpoint is enabled again. */
        post: operations["onWebhookEnabled"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.failing": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** For a day nothing but failures came from a webhook endpoint: it will be disabled when that goes on. */
        post: operations["onWebhookFailing"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.rotated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** A webhook endpoint got a new key. */
        post: operations["onWebhookRotated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Somebody tries a webhook endpoint; it goes there and nowhere else. */
        post: operations["onWebhookTest"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "webhook.updated": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Fields of a webhook endpoint were changed. */
        post: operations["onWebhookUpdated"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export interface components {
    schemas: {
        ApiKey: {
            allowFrom: string[];
            /** Format: date-time */
            createdAt: string;
            createdBy: {
                id: string;
                /** @enum {string} */
                kind: "api_key" | "user" | "system";
            } | null;
            expiresAt: string | null;
            formerSecretUntil: string | null;
            /** @description Id of an API key. */
            id: string;
            lastUsedAddress: string | null;
            lastUsedAt: string | null;
            name: string;
            scopes: ("organization:read" | "organization:write" | "members:read" | "members:write" | "owners:write" | "api_keys:read" | "api_keys:write" | "networks:read" | "networks:write" | "devices:read" | "devices:write" | "credentials:read" | "credentials:write" | "authorities:read" | "authorities:write" | "attachments:read" | "attachments:write" | "tunnels:read" | "tunnels:write" | "tunnels:open_granted" | "connections:read" | "grants:read" | "grants:write" | "ssh_keys:read" | "ssh_keys:write" | "operations:read" | "operations:write" | "audit:read" | "usage:read" | "usage:write" | "events:read" | "webhooks:read" | "webhooks:write" | "rules:read" | "rules:write" | "installation:read" | "installation:write")[] | null;
            /** Format: date-time */
            updatedAt: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        ApiKeyPage: {
            data: components["schemas"]["ApiKey"][];
            nextCursor: string | null;
        };
        AttachAttempt: {
            /** Format: date-time */
            at: string;
            concentratorId: string;
            /** @description For people. */
            detail: string;
            hint: string | null;
            id: string;
            /**
             * @description `proven`: by its credential. `claimed`: somebody gave its identity. `by_address`: it only came from where the device was last.
             * @enum {string}
             */
            identified: "proven" | "claimed" | "by_address";
            matchingTier: ("modern" | "standard" | "compat") | null;
            nearest: components["schemas"]["NearestProposal"] | null;
            offered: components["schemas"]["OfferedProposal"][] | null;
            /** @enum {string} */
            reason: "no_proposal" | "authentication_failed" | "no_credential" | "credential_expired" | "credential_revoked" | "refused" | "no_address" | "protocol_error" | "timed_out" | "superseded" | "redirected" | "shutdown";
            /** @description Where it came from, or a NAT before that; a forged one is possible in stage `init`. */
            sourceAddress: string;
            sourcePort: number;
            /**
             * @description How far it came.
             * @enum {string}
             */
            stage: "init" | "intermediate" | "auth" | "eap" | "attach" | "resume";
        };
        AttachAttemptPage: {
            data: components["schemas"]["AttachAttempt"][];
            nextCursor: string | null;
        };
        Attachment: {
            address: string | null;
            address6: string | null;
            /** Format: date-time */
            attachedAt: string;
            behindNat: boolean;
            concentratorId: string;
            credentialId: string | null;
            detachedAt: string | null;
            detachReason: string | null;
            /** @description Id of a device. */
            deviceId: string;
            /** @description Grows with every attachment of the device. */
            epoch: number;
            ikeSas: components["schemas"]["IkeSa"][];
            /** Format: date-time */
            lastSeenAt: string;
            /** @description Outer address of the device, or of the NAT before it. */
            remoteAddress: string;
            remotePort: number;
            /** @enum {string} */
            state: "attached" | "detached";
        };
        AttachmentPage: {
            data: components["schemas"]["AttachmentSummary"][];
            nextCursor: string | null;
        };
        AttachmentSummary: {
            address: string | null;
            address6: string | null;
            /** Format: date-time */
            attachedAt: string;
            behindNat: boolean;
            concentratorId: string;
            credentialId: string | null;
            detachedAt: string | null;
            detachReason: string | null;
            /** @description Id of a device. */
            deviceId: string;
            /** @description Grows with every attachment of the device. */
            epoch: number;
            /** Format: date-time */
            lastSeenAt: string;
            /** @description Outer address of the device, or of the NAT before it. */
            remoteAddress: string;
            remotePort: number;
            /** @enum {string} */
            state: "attached" | "detached";
        };
        AuditEntry: {
            /** @description What was done; `access.denied`: what was not allowed, by the `rule` in `after`. */
            action: string;
            actor: {
                address: string | null;
                id: string;
                /**
                 * @description `system`: a process of the service by itself.
                 * @enum {string}
                 */
                kind: "api_key" | "user" | "system";
                requestId: string | null;
            };
            after: {
                [key: string]: unknown;
            } | null;
            /** Format: date-time */
            at: string;
            before: {
                [key: string]: unknown;
            } | null;
            /** @description SHA-256, hexadecimal, over the canonical JSON (RFC 8785) of `at`, `entry`, `previous` and `sequence`. */
            hash: string;
            id: string;
            /** @description Of the entry before; zeros for the first. */
            previousHash: string;
            /** @description From 1 in each organization, without gap. */
            sequence: number;
            target: {
                id: string;
                type: string;
            };
        };
        AuditEntryPage: {
            data: components["schemas"]["AuditEntry"][];
            nextCursor: string | null;
        };
        AutomationRule: {
            /** @description One after the other; one that fails does not keep the others back. */
            actions: ({
                /** @description Who may connect: addresses and prefixes. */
                allowFrom: string[];
                host?: string | null;
                /** @enum {string} */
                kind: "open_tunnel";
                /** @description A tunnel to each of these TCP ports. */
                ports: number[];
                ttlSec?: number | null;
            } | {
                /** @enum {string} */
                kind: "close_tunnels";
                ports?: number[] | null;
            } | {
                /** @enum {string} */
                kind: "tag_device";
                tags: string[];
            } | {
                /** @enum {string} */
                kind: "untag_device";
                tags: string[];
            } | {
                /** @enum {string} */
                kind: "revoke_credentials";
            } | {
                /**
                 * @description `slack`: `{"text": "..."}`; `event`: the event. `slack` when left out.
                 * @enum {string}
                 */
                format?: "slack" | "event";
                /** @enum {string} */
                kind: "call_webhook";
                text?: string | null;
                /** @description Where to POST to, such as an incoming webhook of Slack. Answers show its host alone. */
                url: string;
            } | {
                /** @description Endpoint of webhooks that gets the `rule.ran` of the run, whatever types it takes. */
                endpointId: string;
                /** @enum {string} */
                kind: "deliver_webhook";
            })[];
            /** Format: date-time */
            createdAt: string;
            disabledReason: ("by_hand" | "failures" | "maker_gone" | "permission_missing") | null;
            during: {
                /** @description Of the IANA database. */
                timeZone: string;
                windows: {
                    days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
                    from: string;
                    /** @description Not after `from`: of the next day. */
                    to: string;
                }[];
            } | null;
            /** @description Whether it runs. */
            enabled: boolean;
            /** @description Runs in a row that failed, up to now. */
            failures: number;
            /** @description Id of an automation rule. */
            id: string;
            /** @description Who changed it last: it acts with the rights that these have when it runs. */
            maker: {
                id: string;
                /** @enum {string} */
                kind: "api_key" | "user";
            };
            /** @description Runs beyond are skipped. */
            maxRunsPerHour: number;
            /** @description For people. */
            name: string;
            on: {
                /** @description Only of these devices. */
                deviceIds?: string[];
                /** @description Only of devices that have one of these tags. */
                deviceTags?: string[];
                /** @description Types of events, or all of a kind (`tunnel.*`); none of `rule.*`. */
                eventTypes: string[];
                /** @description Only of devices in these networks. */
                networkIds?: string[];
            };
            /** Format: date-time */
            updatedAt: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        AutomationRulePage: {
            data: components["schemas"]["AutomationRule"][];
            nextCursor: string | null;
        };
        Caller: {
            /** @description Of the API key or of the person. */
            id: string;
            /** @enum {string} */
            kind: "api_key" | "user";
            organizationId: string;
            permissions: ("organization:read" | "organization:write" | "members:read" | "members:write" | "owners:write" | "api_keys:read" | "api_keys:write" | "networks:read" | "networks:write" | "devices:read" | "devices:write" | "credentials:read" | "credentials:write" | "authorities:read" | "authorities:write" | "attachments:read" | "attachments:write" | "tunnels:read" | "tunnels:write" | "tunnels:open_granted" | "connections:read" | "grants:read" | "grants:write" | "ssh_keys:read" | "ssh_keys:write" | "operations:read" | "operations:write" | "audit:read" | "usage:read" | "usage:write" | "events:read" | "webhooks:read" | "webhooks:write" | "rules:read" | "rules:write" | "installation:read" | "installation:write")[];
            role: ("owner" | "admin" | "operator" | "viewer") | null;
        };
        ChildSa: {
            ageSec: number;
            bytesIn: number;
            bytesOut: number;
            countedAt: string | null;
            encryption: string;
            esn: boolean;
            /** Format: date-time */
            installedAt: string;
            integrity: string | null;
            packetsIn: number;
            packetsOut: number;
            selectorsLocal: string[];
            selectorsRemote: string[];
            /** @description Our inbound SPI in hexadecimal. */
            spiIn: string;
            /** @description The device's inbound SPI in hexadecimal. */
            spiOut: string;
        };
        Concentrator: {
            /** @description Outer addresses that devices use. */
            addresses: string[];
            /** @description It was heard of within the last half minute. */
            alive: boolean;
            /** @description As it said last. */
            attachedDevices: number;
            dataPlane: string;
            heartbeatAt: string | null;
            id: string;
            ikeIdentity: string;
            startedAt: string | null;
            /** @description starting, ready, failing, draining, stopped or offline. */
            state: string;
        };
        ConcentratorList: {
            data: components["schemas"]["Concentrator"][];
        };
        ConfigLink: {
            /** @description What was issued for it; used or not, they stay until revoked. */
            credentialIds: string[];
            /** @description Id of a device. */
            deviceId: string;
            /** Format: date-time */
            expiresAt: string;
            /** @description Id of a one-time link. */
            id: string;
            /**
             * @description What the device runs. `openwrt-uci` has the option names of strongSwan packages from August 2026 on, `openwrt-uci-legacy` those before.
             * @enum {string}
             */
            target: "swanctl" | "openwrt-uci" | "openwrt-uci-legacy" | "routeros7" | "libreswan" | "mobileconfig" | "sswan" | "windows-powershell" | "ios-xe" | "generic-json";
            /**
             * Format: uri
             * @description Whoever has it can have the configuration, once: `curl -X POST` it, or open it in a browser. Shown only now.
             */
            url: string;
        };
        Connection: {
            /** @description From the device to the client. */
            bytesDown: number;
            /** @description From the client to the device. */
            bytesUp: number;
            clientAddress: string;
            clientPort: number;
            closedAt: string | null;
            deviceHost: string | null;
            devicePort: number;
            id: string;
            /** Format: date-time */
            openedAt: string;
            reason: string | null;
            /** @enum {string} */
            state: "open" | "closed" | "refused";
            /** @description Id of a tunnel. */
            tunnelId: string;
        };
        ConnectionPage: {
            data: components["schemas"]["Connection"][];
            nextCursor: string | null;
        };
        Credential: {
            certificate: {
                authorityId: string | null;
                chain: string | null;
                fingerprint: string | null;
                refusal: string | null;
                serial: string | null;
            } | null;
            /** Format: date-time */
            createdAt: string;
            /** @description Id of a device. */
            deviceId: string;
            expiresAt: string | null;
            /** @description Id of a credential. */
            id: string;
            identity: string | null;
            /** @description The device is attached with it now. */
            inUse: boolean;
            /** @enum {string} */
            kind: "psk" | "certificate" | "eap" | "ppk";
            method: "mschapv2" | null;
            required: boolean | null;
            revokedAt: string | null;
            /**
             * @description `pending` and `refused` are of certificates: not signed yet, and not to be signed.
             * @enum {string}
             */
            state: "pending" | "active" | "refused" | "expired" | "revoked";
        };
        CredentialList: {
            data: components["schemas"]["CredentialSummary"][];
        };
        CredentialPage: {
            data: components["schemas"]["CredentialSummary"][];
            nextCursor: string | null;
        };
        /** @description As lists have it: the chain of a certificate is left out. */
        CredentialSummary: {
            certificate: {
                authorityId: string | null;
                fingerprint: string | null;
                refusal: string | null;
                serial: string | null;
            } | null;
            /** Format: date-time */
            createdAt: string;
            /** @description Id of a device. */
            deviceId: string;
            expiresAt: string | null;
            /** @description Id of a credential. */
            id: string;
            identity: string | null;
            /** @description The device is attached with it now. */
            inUse: boolean;
            /** @enum {string} */
            kind: "psk" | "certificate" | "eap" | "ppk";
            method: "mschapv2" | null;
            required: boolean | null;
            revokedAt: string | null;
            /**
             * @description `pending` and `refused` are of certificates: not signed yet, and not to be signed.
             * @enum {string}
             */
            state: "pending" | "active" | "refused" | "expired" | "revoked";
        };
        Device: {
            /**
             * Format: ipv4
             * @description Inner address, stable for the life of the device.
             */
            address: string;
            address6: string | null;
            /** Format: date-time */
            createdAt: string;
            /** @description What holds. */
            effectiveTiers: {
                /**
                 * @description Who says so.
                 * @enum {string}
                 */
                source: "device" | "network" | "organization" | "default";
                /** @description Strongest first. */
                tiers: ("modern" | "standard" | "compat")[];
                warning: string | null;
            };
            eid: string | null;
            iccid: string;
            /** @description Id of a device. */
            id: string;
            /** @description FQDN that the device claims in IKE_AUTH (IDi). */
            ikeIdentity: string;
            imei: string | null;
            imsi: string | null;
            /** @description LANs behind the device that tunnels may lead to. */
            lanPrefixes: string[];
            lastSeenAt: string | null;
            name: string;
            /** @description Id of a network. */
            networkId: string;
            proposalTiers: ("modern" | "standard" | "compat")[] | null;
            quota: {
                /** @description Octets of both directions together. */
                bytes: number;
                /**
                 * @description When it begins anew: each day or month (UTC), or never.
                 * @enum {string}
                 */
                period: "day" | "month" | "total";
            } | null;
            rateLimit: {
                downBytesPerSec: number | null;
                upBytesPerSec: number | null;
            } | null;
            /** @enum {string} */
            state: "online" | "offline";
            tags: string[];
            tunnelable: boolean;
            /** Format: date-time */
            updatedAt: string;
            /** @description Octets through its tunnel in both directions: this day and this month (UTC), and ever. Some seconds behind. */
            usage: {
                day: number;
                month: number;
                total: number;
            };
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        DeviceAuthority: {
            /** @description PEM. */
            certificate: string;
            /** Format: date-time */
            createdAt: string;
            /** @description Credentials of it that are neither revoked nor expired. */
            credentialCount: number;
            /** @description SHA-256 of the certificate, hexadecimal. */
            fingerprint: string;
            /** @description Id of an authority of the organization. */
            id: string;
            name: string;
            /** Format: date-time */
            notAfter: string;
            /** @description Its list of revoked certificates (RFC 5280). */
            revocation: {
                fault: string | null;
                fetchedAt: string | null;
                /**
                 * @description `off`: no list of revoked certificates is fetched, and a certificate counts until its credential is revoked or it expires. `soft`: what a list names is revoked; one that is late or cannot be had changes nothing. `hard`: as `soft`, and nobody stays or is let in without a list that is fresh.
                 * @enum {string}
                 */
                mode: "off" | "soft" | "hard";
                nextUpdate: string | null;
                number: string | null;
                /** @description Serials on that list. */
                revokedCount: number;
                thisUpdate: string | null;
                url: string | null;
            };
            /**
             * @description Of `expired` nobody is let in.
             * @enum {string}
             */
            state: "active" | "expired";
            /** @description For people. */
            subject: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        DeviceAuthorityPage: {
            data: components["schemas"]["DeviceAuthority"][];
            nextCursor: string | null;
        };
        DeviceConfiguration: {
            authentication: {
                /**
                 * @description How the concentrator proves itself.
                 * @enum {string}
                 */
                concentratorProves: "psk" | "certificate";
                eap: {
                    /** @enum {string} */
                    method: "mschapv2";
                    /** @description The password, or the marker of it. */
                    password: string;
                    userName: string;
                } | null;
                /** @enum {string} */
                kind: "psk" | "certificate" | "eap";
                ppk: {
                    identity: string;
                    required: boolean;
                    /** @description The key, or the marker of it. */
                    secret: string;
                } | null;
                psk: string | null;
            };
            /** @description PEM, as of `GET /v1/ca`. */
            authorities: string[];
            childRekeySec: number;
            concentrator: {
                /** @description Best first. */
                addresses: string[];
                /** @description FQDN in IDr. */
                identity: string;
                /** @description UDP: where IKE begins, and where it goes on with ESP. */
                ports: number[];
            };
            device: {
                /** @description Id of a device. */
                id: string;
                name: string;
                tags: string[];
            };
            dpdDelaySec: number;
            /** @description RFC 7383. */
            fragmentation: boolean;
            /** @description IDi. */
            identity: {
                /** @enum {string} */
                type: "fqdn";
                value: string;
            };
            ikeRekeySec: number;
            /** @description Families to ask an address of (CP). */
            innerAddresses: {
                ip4: boolean;
                ip6: boolean;
            };
            lanPrefixes: string[];
            mobike: boolean;
            /** @description In strongSwan's words, best first. */
            proposals: {
                esp: string[];
                ike: string[];
            };
            /** @description What goes into the tunnel. */
            remotePrefixes: string[];
            tiers: ("modern" | "standard" | "compat")[];
            /** @description ESP in UDP also without a NAT. */
            udpEncapsulation: boolean;
        };
        DevicePage: {
            data: components["schemas"]["Device"][];
            nextCursor: string | null;
        };
        DryRun: {
            /** @description False: there were too many, and the newest were not looked at. */
            complete: boolean;
            /** @description Events of the types it waits for that were looked at. */
            events: number;
            /** @description For which events it would have run, and what it would have done, oldest first; 200 at most. */
            runs: {
                deviceId: string | null;
                event: {
                    /** @description As the event carries it. */
                    data: {
                        [key: string]: unknown;
                    };
                    id: string;
                    resourceId: string;
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    type: string;
                };
                steps: {
                    action: number;
                    /** @enum {string} */
                    kind: "open_tunnel" | "close_tunnels" | "tag_device" | "untag_device" | "revoke_credentials" | "call_webhook" | "deliver_webhook";
                    port: number | null;
                    text: string | null;
                    ttlSec: number | null;
                }[];
            }[];
            /** Format: date-time */
            since: string;
        };
        /** @description What a webhook has as its body. */
        Event: {
            /** @description As `webhooks` describes it for the type. */
            data: {
                [key: string]: unknown;
            };
            /** @description The same wherever the event is told: drop repeats by it. */
            id: string;
            /** @description What it is about. */
            resourceId: string;
            /** @description Grows by one with every event of the resource. */
            sequence: number;
            /** Format: date-time */
            timestamp: string;
            /** @description One of the types that `webhooks` describes. */
            type: string;
        };
        EventPage: {
            data: components["schemas"]["Event"][];
            /** @description There are more already: read on at once. */
            hasMore: boolean;
            /** @description Give it as `after` to go on, now or later; keep it where you keep what you made of the events. */
            nextCursor: string;
        };
        Gateway: {
            /** @description It was heard of within the last half minute. */
            alive: boolean;
            heartbeatAt: string | null;
            id: string;
            /** @description Ports of tunnels that it shall listen on. */
            listeningPorts: number;
            openConnections: number;
            portFrom: number;
            portTo: number;
            /** @description Name or address that customers are told. */
            publicHost: string;
            startedAt: string | null;
            /** @description starting, ready, draining, stopped or offline. */
            state: string;
        };
        GatewayList: {
            data: components["schemas"]["Gateway"][];
        };
        Grant: {
            allTags: string[];
            anyTags: string[];
            apiKeyId: string | null;
            /** Format: date-time */
            createdAt: string;
            createdBy: {
                id: string;
                /** @enum {string} */
                kind: "api_key" | "user" | "system";
            };
            /** Format: date-time */
            expiresAt: string;
            hosts: string[];
            /** @description Id of a grant. */
            id: string;
            memberId: string | null;
            name: string;
            ports: number[] | null;
            revokedAt: string | null;
            /** @enum {string} */
            state: "active" | "expired" | "revoked";
        };
        GrantPage: {
            data: components["schemas"]["Grant"][];
            nextCursor: string | null;
        };
        IkeSa: {
            /** @description RFC 9370, in order. */
            additionalKeyExchanges: string[];
            ageSec: number;
            childSas: components["schemas"]["ChildSa"][];
            encryption: string;
            /** Format: date-time */
            establishedAt: string;
            integrity: string | null;
            keyExchange: string;
            /** @enum {string} */
            originalInitiator: "device" | "concentrator";
            prf: string;
            spiI: string;
            spiR: string;
            tier: ("modern" | "standard" | "compat") | null;
        };
        IssuedApiKey: {
            allowFrom: string[];
            /** Format: date-time */
            createdAt: string;
            createdBy: {
                id: string;
                /** @enum {string} */
                kind: "api_key" | "user" | "system";
            } | null;
            expiresAt: string | null;
            formerSecretUntil: string | null;
            /** @description Id of an API key. */
            id: string;
            /** @description The key itself. It is in this answer only. */
            key: string;
            lastUsedAddress: string | null;
            lastUsedAt: string | null;
            name: string;
            scopes: ("organization:read" | "organization:write" | "members:read" | "members:write" | "owners:write" | "api_keys:read" | "api_keys:write" | "networks:read" | "networks:write" | "devices:read" | "devices:write" | "credentials:read" | "credentials:write" | "authorities:read" | "authorities:write" | "attachments:read" | "attachments:write" | "tunnels:read" | "tunnels:write" | "tunnels:open_granted" | "connections:read" | "grants:read" | "grants:write" | "ssh_keys:read" | "ssh_keys:write" | "operations:read" | "operations:write" | "audit:read" | "usage:read" | "usage:write" | "events:read" | "webhooks:read" | "webhooks:write" | "rules:read" | "rules:write" | "installation:read" | "installation:write")[] | null;
            /** Format: date-time */
            updatedAt: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        IssuedCredential: {
            certificate: {
                authorityId: string | null;
                chain: string | null;
                fingerprint: string | null;
                refusal: string | null;
                serial: string | null;
            } | null;
            /** Format: date-time */
            createdAt: string;
            /** @description Id of a device. */
            deviceId: string;
            expiresAt: string | null;
            /** @description Id of a credential. */
            id: string;
            identity: string | null;
            /** @description FQDN that the device claims in IKE_AUTH (IDi). */
            ikeIdentity: string;
            /** @description The device is attached with it now. */
            inUse: boolean;
            /** @enum {string} */
            kind: "psk" | "certificate" | "eap" | "ppk";
            method: "mschapv2" | null;
            /** @description eap: the password for `identity`. Shown only now. */
            password?: string;
            /** @description ppk: the key as text: its bytes are these characters. Shown only now. */
            ppk?: string;
            /** @description psk: the pre-shared key as text: its bytes are these characters. Shown only now. */
            psk?: string;
            required: boolean | null;
            revokedAt: string | null;
            /**
             * @description `pending` and `refused` are of certificates: not signed yet, and not to be signed.
             * @enum {string}
             */
            state: "pending" | "active" | "refused" | "expired" | "revoked";
            /** @description All but certificate. */
            swanctl?: {
                /** @description The marker in `GET /v1/devices/{deviceId}/config?target=swanctl`. */
                placeholder: string;
                /** @description What to put in its place. */
                secret: string;
            };
        };
        IssuedTokens: {
            /** @description A JWT (RFC 9068) for `Authorization: Bearer`. */
            accessToken: string;
            /** @description Seconds for which the access token is good. */
            expiresInSec: number;
            /** @description That the access token is for. */
            organizationId: string;
            /** @description All that the person is a member of: ask for another one with `organizationId`. */
            organizationIds: string[];
            /** @description Good once. */
            refreshToken: string;
            /** @enum {string} */
            tokenType: "Bearer";
        };
        IssuedWebhookEndpoint: {
            /** Format: date-time */
            createdAt: string;
            deviceTags: string[];
            disabledAt: string | null;
            disabledReason: ("requested" | "gone" | "failing") | null;
            eventTypes: string[];
            health: {
                failingSince: string | null;
                lastFailureAt: string | null;
                lastSuccessAt: string | null;
                pausedUntil: string | null;
                warnedAt: string | null;
            };
            /** @description Id of a webhook endpoint. */
            id: string;
            /** @description What deliveries are signed with, newest first. */
            keys: {
                /** Format: date-time */
                createdAt: string;
                expiresAt: string | null;
                id: string;
                publicKey: string | null;
                /**
                 * @description `hmac`: a secret that both sides know. `ed25519`: a public key verifies, so that what your receiver is configured with forges nothing.
                 * @enum {string}
                 */
                signing: "hmac" | "ed25519";
            }[];
            maxPerSec: number | null;
            name: string;
            networkIds: string[];
            secret: string | null;
            /** @enum {string} */
            state: "enabled" | "disabled";
            /** Format: date-time */
            updatedAt: string;
            url: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        Member: {
            acceptUrl: string | null;
            /** Format: date-time */
            createdAt: string;
            /** @description The address that was invited. */
            email: string;
            /** @description Id of a member. */
            id: string;
            invitationExpiresAt: string | null;
            name: string | null;
            /** @enum {string} */
            role: "owner" | "admin" | "operator" | "viewer";
            /**
             * @description `locked`: the person is a member still, but gets in nowhere here; who only was invited cannot accept.
             * @enum {string}
             */
            state: "invited" | "invitation_expired" | "active" | "locked";
            /** Format: date-time */
            updatedAt: string;
            userId: string | null;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        MemberPage: {
            data: components["schemas"]["Member"][];
            nextCursor: string | null;
        };
        NearestProposal: {
            /** @description Kinds of transform in which nothing is common. */
            differsIn: {
                accepted: string[];
                offered: string[];
                /** @description ENCR, PRF, INTEG, KE, ESN, ADDKE1 ... */
                type: string;
            }[];
            /** @description Number of the proposal in `offered`. */
            proposal: number;
            tier: ("modern" | "standard" | "compat") | null;
        };
        Network: {
            connectionEvents: boolean | null;
            /** Format: date-time */
            createdAt: string;
            /** @description Its devices may reach each other. Switching it off acts on live tunnels of devices; switching it on reaches attached devices by a rekey, when their own configuration allows for it. */
            deviceToDevice: boolean;
            dnsDomains: string[];
            dnsServers: string[];
            /** @description What holds. */
            effectiveTiers: {
                /**
                 * @description Who says so.
                 * @enum {string}
                 */
                source: "device" | "network" | "organization" | "default";
                /** @description Strongest first. */
                tiers: ("modern" | "standard" | "compat")[];
                warning: string | null;
            };
            /** @description Id of a network. */
            id: string;
            name: string;
            /** @description Inner addresses of its devices. */
            pool: string;
            pool6: string | null;
            /** @description All inner IPv4 prefixes of its devices: it grows by another one when it is full. */
            pools: string[];
            proposalTiers: ("modern" | "standard" | "compat")[] | null;
            rateLimit: {
                downBytesPerSec: number | null;
                upBytesPerSec: number | null;
            } | null;
            reauthenticateAfterSec: number | null;
            /** Format: date-time */
            updatedAt: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        NetworkPage: {
            data: components["schemas"]["Network"][];
            nextCursor: string | null;
        };
        OfferedProposal: {
            number: number;
            /** @enum {string} */
            protocol: "IKE" | "AH" | "ESP" | "other";
            transforms: {
                /** @description IANA. */
                id: number;
                keyBits: number | null;
                /** @description Such as `ENCR_AES_GCM_16-256`. */
                name: string;
                /** @description IANA: 1 ENCR, 2 PRF, 3 INTEG, 4 KE, 5 ESN, 6 to 12 ADDKE. */
                type: number;
            }[];
        };
        Operation: {
            /** Format: date-time */
            createdAt: string;
            /** @description Nothing changes any more: there is a `result` or an `error`. */
            done: boolean;
            error: {
                /**
                 * @description Stable; decide by it.
                 * @enum {string}
                 */
                code: "unreadable_rows" | "operation_cancelled" | "internal_error";
                detail: string;
                status: number;
                title: string;
                /**
                 * Format: uri-reference
                 * @description A page about this code.
                 */
                type: string;
            } | null;
            finishedAt: string | null;
            /** @description Id of an operation. */
            id: string;
            /** @enum {string} */
            kind: "device_import" | "device_update" | "device_delete" | "webhook_replay";
            metadata: {
                cancelRequested: boolean;
                progress: {
                    /** @description Rows with faults: see `/v1/operations/{id}/errors`. */
                    failed: number;
                    processed: number;
                    succeeded: number;
                    total: number | null;
                };
            };
            result: {
                [key: string]: number;
            } | null;
            startedAt: string | null;
            /** @enum {string} */
            state: "receiving" | "waiting" | "running" | "succeeded" | "failed" | "cancelled";
            /** Format: date-time */
            updatedAt: string;
            /** @description A rehearsal: everything is checked and counted, nothing is changed. */
            validateOnly: boolean;
        };
        OperationPage: {
            data: components["schemas"]["Operation"][];
            nextCursor: string | null;
        };
        Organization: {
            /** @description Each connection through a tunnel is told as events (`connection.*`), up to 120 new ones of a tunnel in a minute, to everybody who takes events. False for an organization: only where an endpoint of webhooks or a rule names them; false for a network: never. */
            connectionEvents: boolean;
            /** Format: date-time */
            createdAt: string;
            /** @description What holds. */
            effectiveTiers: {
                /**
                 * @description Who says so.
                 * @enum {string}
                 */
                source: "device" | "network" | "organization" | "default";
                /** @description Strongest first. */
                tiers: ("modern" | "standard" | "compat")[];
                warning: string | null;
            };
            id: string;
            name: string;
            proposalTiers: ("modern" | "standard" | "compat")[] | null;
            /** @description Part of the IKE identities of its devices. */
            slug: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        Problem: {
            /**
             * @description Stable; decide by it.
             * @enum {string}
             */
            code: "malformed_request" | "validation_failed" | "invalid_cursor" | "invalid_idempotency_key" | "private_key_given" | "login_refused" | "session_ended" | "unauthenticated" | "forbidden" | "no_membership" | "not_found" | "login_off" | "webhooks_off" | "method_not_allowed" | "request_timeout" | "duplicate_iccid" | "device_offline" | "device_not_tunnelable" | "device_not_attached" | "credential_limit" | "certificate_limit" | "certificate_in_use" | "authority_exists" | "authority_limit" | "credential_revoked" | "member_exists" | "member_limit" | "last_owner" | "grant_limit" | "ssh_key_exists" | "ssh_key_limit" | "rule_limit" | "threshold_limit" | "api_key_limit" | "api_key_rotating" | "duplicate_network" | "pool_taken" | "network_limit" | "network_in_use" | "network_full" | "tunnel_not_active" | "tunnel_limit" | "operation_limit" | "operation_done" | "operation_cancelled" | "webhook_endpoint_limit" | "webhook_rotating" | "webhook_disabled" | "event_forgotten" | "idempotency_in_progress" | "precondition_failed" | "payload_too_large" | "uri_too_long" | "unsupported_media_type" | "host_outside_lans" | "url_refused" | "unreadable_rows" | "secret_not_readable" | "config_link_limit" | "config_link_gone" | "cursor_expired" | "config_not_possible" | "idempotency_key_reused" | "weak_psk" | "csr_refused" | "authority_refused" | "certificate_refused" | "rate_limited" | "idempotency_limit" | "stream_limit" | "headers_too_large" | "internal_error" | "identity_provider_unavailable" | "tunnel_failed" | "no_gateway" | "no_concentrator" | "no_authority" | "database_unavailable";
            detail: string;
            errors?: {
                /** @enum {string} */
                in: "body" | "query" | "path" | "header";
                message: string;
                /** @description JSON pointer (RFC 6901) to the field. */
                pointer: string;
            }[];
            /** @description The request, as a URN with its id. */
            instance: string;
            /** @description Also in the `X-Request-Id` header; tell it when you report a fault. */
            requestId: string;
            status: number;
            title: string;
            /**
             * Format: uri-reference
             * @description A page about this code.
             */
            type: string;
        };
        RuleRun: {
            /** Format: date-time */
            createdAt: string;
            /** @description How many rules before it led to the event; from 3 on it is skipped. */
            depth: number;
            deviceId: string | null;
            event: {
                /** @description As the event carries it. */
                data: {
                    [key: string]: unknown;
                };
                id: string;
                resourceId: string;
                sequence: number;
                /** Format: date-time */
                timestamp: string;
                type: string;
            };
            finishedAt: string | null;
            id: string;
            reason: string | null;
            startedAt: string | null;
            /** @enum {string} */
            state: "pending" | "succeeded" | "failed" | "skipped";
            /** @description What was done, in order. */
            steps: {
                /** @description Place in `actions` of the rule as it was then, from 0. */
                action: number;
                code: string | null;
                detail: string | null;
                /** @enum {string} */
                kind: "open_tunnel" | "close_tunnels" | "tag_device" | "untag_device" | "revoke_credentials" | "call_webhook" | "deliver_webhook";
                port: number | null;
                /** @enum {string} */
                state: "done" | "failed";
                tunnelId: string | null;
            }[];
        };
        RuleRunPage: {
            data: components["schemas"]["RuleRun"][];
            nextCursor: string | null;
        };
        SaList: {
            data: components["schemas"]["IkeSa"][];
        };
        SigningKey: {
            /** @description Its name in tokens and in the JWK Set (`kid`). */
            kid: string;
            /** @description It signs now. */
            signs: boolean;
            /** Format: date-time */
            signsFrom: string;
            /** Format: date-time */
            signsUntil: string;
            /** Format: date-time */
            verifiesUntil: string;
        };
        SigningKeyList: {
            data: components["schemas"]["SigningKey"][];
        };
        SshKey: {
            apiKeyId: string | null;
            bits: number;
            comment: string;
            /** Format: date-time */
            createdAt: string;
            createdBy: {
                id: string;
                /** @enum {string} */
                kind: "api_key" | "user";
            };
            expiresAt: string | null;
            /** @description As `ssh-keygen -l` shows it. */
            fingerprint: string;
            /** @description Id of an SSH key. */
            id: string;
            lastUsedAddress: string | null;
            lastUsedAt: string | null;
            memberId: string | null;
            name: string;
            /** @description Without a comment. */
            publicKey: string;
            /** @enum {string} */
            state: "active" | "expired";
            type: string;
            /** Format: date-time */
            updatedAt: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        SshKeyPage: {
            data: components["schemas"]["SshKey"][];
            nextCursor: string | null;
        };
        Tunnel: {
            allowFrom: string[];
            closedAt: string | null;
            /** Format: date-time */
            createdAt: string;
            deviceHost: string | null;
            /** @description Id of a device. */
            deviceId: string;
            devicePort: number;
            /** Format: date-time */
            expiresAt: string;
            grantId: string | null;
            host: string | null;
            /** @description Id of a tunnel. */
            id: string;
            maxBytes: number | null;
            openedAt: string | null;
            openedBy: {
                id: string;
                /** @enum {string} */
                kind: "api_key" | "user" | "system";
            } | null;
            port: number | null;
            /** @enum {string} */
            protocol: "tcp";
            rateLimit: {
                downBytesPerSec: number | null;
                upBytesPerSec: number | null;
            } | null;
            reason: ("device_offline" | "requested" | "device_deleted" | "credential_revoked" | "lan_removed" | "grant_ended" | "opener_revoked" | "ttl_elapsed" | "quota" | "device_wait_timeout" | "no_free_port" | "listen_failed" | "gateway_lost" | "lan_not_carried" | "no_host_address") | null;
            /** @enum {string} */
            state: "requested" | "waiting_for_device" | "opening" | "open" | "draining" | "closed" | "expired" | "failed";
            ttlSec: number;
            /** Format: date-time */
            updatedAt: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
            waitForDevice: boolean;
        };
        TunnelPage: {
            data: components["schemas"]["Tunnel"][];
            nextCursor: string | null;
        };
        Usage: {
            /** @description Seconds that the device was attached; of the organization, those of all its devices. */
            attachedSec: number;
            /** @description Octets from the device. */
            bytesIn: number;
            /** @description Octets to the device. */
            bytesOut: number;
            /** @description Connections through tunnels. */
            connections: number;
            /** @description Connections that were refused. */
            denied: number;
            deviceId: string | null;
            /**
             * Format: date-time
             * @description Beginning of the hour or day, UTC.
             */
            from: string;
            /** @description Of the device, tunnel or organization, also of one that is gone. */
            id: string;
            /** @description Packets from the device; 0 for a tunnel. */
            packetsIn: number;
            /** @description Packets to the device; 0 for a tunnel. */
            packetsOut: number;
            /** @description Tunnels that became open. */
            tunnelsOpened: number;
        };
        UsagePage: {
            data: components["schemas"]["Usage"][];
            nextCursor: string | null;
        };
        UsageThreshold: {
            /** @description Octets of both directions. */
            bytes: number;
            /** Format: date-time */
            createdAt: string;
            deviceId: string | null;
            /** @description Id of a threshold. */
            id: string;
            name: string;
            /** @description Percents of `bytes` to tell of, each once in a period; 80 and 100 when left out. */
            percents: number[];
            /** @enum {string} */
            period: "day" | "month";
            tag: string | null;
            toldPercent: number | null;
            toldPeriod: string | null;
            /** Format: date-time */
            updatedAt: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        UsageThresholdPage: {
            data: components["schemas"]["UsageThreshold"][];
            nextCursor: string | null;
        };
        WebhookDelivery: {
            /** @description Made so far. */
            attempts: number;
            /** Format: date-time */
            createdAt: string;
            /** @description Id of a webhook endpoint. */
            endpointId: string;
            /** @description Also the `webhook-id`, at every attempt. */
            eventId: string;
            eventType: string;
            finishedAt: string | null;
            /** @description Id of a delivery. */
            id: string;
            lastAttempt: {
                /** Format: date-time */
                at: string;
                error: string | null;
                status: number | null;
            } | null;
            nextAttemptAt: string | null;
            resourceId: string;
            /**
             * @description `pending`: not yet, or tried again at `nextAttemptAt`. `failed`: no attempt is left. `aborted`: the receiver refused it for good.
             * @enum {string}
             */
            state: "pending" | "delivered" | "failed" | "aborted";
        };
        WebhookDeliveryDetail: {
            /** @description Made so far. */
            attempts: number;
            /** Format: date-time */
            createdAt: string;
            /** @description Id of a webhook endpoint. */
            endpointId: string;
            /** @description Also the `webhook-id`, at every attempt. */
            eventId: string;
            eventType: string;
            finishedAt: string | null;
            /** @description Id of a delivery. */
            id: string;
            lastAttempt: {
                /** Format: date-time */
                at: string;
                error: string | null;
                status: number | null;
            } | null;
            /** @description Attempts, newest first; the latest 20. */
            log: {
                /** Format: date-time */
                at: string;
                durationMs: number;
                error: {
                    code: string;
                    detail: string;
                } | null;
                number: number;
                requestHeaders: {
                    [key: string]: string;
                };
                response: {
                    /** @description The beginning of it, as text. */
                    body: string;
                    headers: {
                        [key: string]: string;
                    };
                    status: number;
                    /** @description There was more. */
                    truncated: boolean;
                } | null;
            }[];
            nextAttemptAt: string | null;
            request: {
                /** @description What is sent, to the letter. */
                body: string;
                url: string;
            } | null;
            resourceId: string;
            /**
             * @description `pending`: not yet, or tried again at `nextAttemptAt`. `failed`: no attempt is left. `aborted`: the receiver refused it for good.
             * @enum {string}
             */
            state: "pending" | "delivered" | "failed" | "aborted";
        };
        WebhookDeliveryPage: {
            data: components["schemas"]["WebhookDelivery"][];
            nextCursor: string | null;
        };
        WebhookEndpoint: {
            /** Format: date-time */
            createdAt: string;
            deviceTags: string[];
            disabledAt: string | null;
            disabledReason: ("requested" | "gone" | "failing") | null;
            eventTypes: string[];
            health: {
                failingSince: string | null;
                lastFailureAt: string | null;
                lastSuccessAt: string | null;
                pausedUntil: string | null;
                warnedAt: string | null;
            };
            /** @description Id of a webhook endpoint. */
            id: string;
            /** @description What deliveries are signed with, newest first. */
            keys: {
                /** Format: date-time */
                createdAt: string;
                expiresAt: string | null;
                id: string;
                publicKey: string | null;
                /**
                 * @description `hmac`: a secret that both sides know. `ed25519`: a public key verifies, so that what your receiver is configured with forges nothing.
                 * @enum {string}
                 */
                signing: "hmac" | "ed25519";
            }[];
            maxPerSec: number | null;
            name: string;
            networkIds: string[];
            /** @enum {string} */
            state: "enabled" | "disabled";
            /** Format: date-time */
            updatedAt: string;
            url: string;
            /** @description Grows with every change; also the `ETag`. */
            version: number;
        };
        WebhookEndpointPage: {
            data: components["schemas"]["WebhookEndpoint"][];
            nextCursor: string | null;
        };
        WebhookRecovery: {
            endpoint: components["schemas"]["WebhookEndpoint"];
            operation: components["schemas"]["Operation"] | null;
        };
    };
    responses: {
        /** @description `cursor_expired`: Events after this cursor are removed already */
        CursorExpired: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `database_unavailable`: The database cannot be reached */
        DatabaseUnavailable: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `device_not_attached`: The device is not attached */
        DeviceNotAttached: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `forbidden`: Not allowed */
        Forbidden: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `headers_too_large`: The headers are too large */
        HeadersTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
        IdempotencyInProgress: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `idempotency_key_reused`: The Idempotency-Key belongs to another request */
        IdempotencyKeyReused: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `identity_provider_unavailable`: The identity provider cannot be reached; `database_unavailable`: The database cannot be reached */
        IdentityProviderUnavailableOrDatabaseUnavailable: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `internal_error`: Something went wrong on our side */
        InternalError: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `invalid_cursor`: The cursor is not valid; `validation_failed`: The request has wrong fields; `malformed_request`: The request cannot be read */
        InvalidCursorOrValidationFailedOrMalformedRequest: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `last_owner`: This is the last owner */
        LastOwner: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `login_off`: People cannot log in here */
        LoginOff: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `no_authority`: There is no certificate authority yet; `database_unavailable`: The database cannot be reached */
        NoAuthorityOrDatabaseUnavailable: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `no_concentrator`: No concentrator is known yet; `database_unavailable`: The database cannot be reached */
        NoConcentratorOrDatabaseUnavailable: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `not_found`: Not found */
        NotFound: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `not_found`: Not found; `webhooks_off`: There are no webhooks here */
        NotFoundOrWebhooksOff: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `operation_limit`: Enough operations are under way; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
        OperationLimitOrIdempotencyInProgress: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `payload_too_large`: The body is too large */
        PayloadTooLarge: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `precondition_failed`: The resource has changed */
        PreconditionFailed: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `private_key_given`: That is a private key; `validation_failed`: The request has wrong fields; `malformed_request`: The request cannot be read; `invalid_idempotency_key`: The Idempotency-Key cannot be read */
        PrivateKeyGivenOrValidationFailedOrMalformedRequestOrInvalidIdempotencyKey: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `rate_limited`: There were too many calls */
        RateLimited: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `rate_limited`: There were too many calls; `idempotency_limit`: Too many Idempotency-Keys are kept for the organization */
        RateLimitedOrIdempotencyLimit: {
            headers: {
                "Retry-After": components["headers"]["RetryAfter"];
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `request_timeout`: The request did not arrive in time */
        RequestTimeout: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unauthenticated`: No valid API key or access token */
        Unauthenticated: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `unsupported_media_type`: The content type is not supported */
        UnsupportedMediaType: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `uri_too_long`: The URL is too long */
        UriTooLong: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `validation_failed`: The request has wrong fields; `malformed_request`: The request cannot be read */
        ValidationFailedOrMalformedRequest: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description `validation_failed`: The request has wrong fields; `malformed_request`: The request cannot be read; `invalid_idempotency_key`: The Idempotency-Key cannot be read */
        ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey: {
            headers: {
                "X-Request-Id": components["headers"]["RequestId"];
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: {
        /** @description `nextCursor` of the page before. */
        Cursor: string;
        /** @description Id of a device. */
        DeviceId: string;
        /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
        IdempotencyKey: string;
        /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
        IfMatch: string;
        /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
        IfNoneMatch: string;
        /** @description Most items on a page. */
        Limit: number;
        /** @description A part of the name, in any case. */
        Name: string;
        /** @description Id of a network. */
        NetworkId: string;
        /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
        ValidateOnly: boolean;
        /** @description Seconds to wait for the result before answering 202; 5 when left out. `Prefer: wait=n` and `Prefer: respond-async` do the same. */
        Wait: number;
    };
    requestBodies: never;
    headers: {
        /** @description The version of the resource and a hash of the answer, for `If-Match` and `If-None-Match`. */
        ETag: string;
        /** @description Where the new resource is. */
        Location: string;
        /** @description Names the request in our logs; the one that the caller sent, when it was harmless. */
        RequestId: string;
        /** @description Seconds after which the same request may succeed. */
        RetryAfter: number;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The keys; none where people cannot log in. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        keys: {
                            [key: string]: unknown;
                        }[];
                    };
                };
            };
        };
    };
    explainError: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                code: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The code. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        advice: string;
                        code: string;
                        status: number;
                        title: string;
                    };
                    "text/html": string;
                };
            };
            /** @description `validation_failed`: The request has wrong fields */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthenticated`: No valid API key or access token */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: Not allowed */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `not_found`: Not found */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `internal_error`: Something went wrong on our side */
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `database_unavailable`: The database cannot be reached */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    live: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Alive. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        checks: {
                            [key: string]: string;
                        };
                        ok: boolean;
                    };
                };
            };
        };
    };
    ready: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Ready. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        checks: {
                            [key: string]: string;
                        };
                        ok: boolean;
                    };
                };
            };
            /** @description Not ready: see `checks`. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": {
                        checks: {
                            [key: string]: string;
                        };
                        ok: boolean;
                    };
                };
            };
        };
    };
    listApiKeys: {
        parameters: {
            query?: {
                /** @description Who made it: key or person. */
                createdBy?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description It expires before (RFC 3339). */
                expiresBefore?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                /** @description Order; a minus: the other way round. `-createdAt` when left out. */
                sort?: "-createdAt" | "createdAt" | "name" | "-name";
                /** @description It was not used since then, or never (RFC 3339). */
                unusedSince?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of keys. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKeyPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    createApiKey: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Addresses and prefixes that the key may be used from; none: from anywhere. */
                    allowFrom?: string[];
                    /**
                     * Format: date-time
                     * @description At most two years from now; a year when left out.
                     */
                    expiresAt?: string;
                    /** @description A name for people. */
                    name: string;
                    /** @description What the key may do; nothing that its maker may not do. */
                    scopes: ("organization:read" | "organization:write" | "members:read" | "members:write" | "owners:write" | "api_keys:read" | "api_keys:write" | "networks:read" | "networks:write" | "devices:read" | "devices:write" | "credentials:read" | "credentials:write" | "authorities:read" | "authorities:write" | "attachments:read" | "attachments:write" | "tunnels:read" | "tunnels:write" | "tunnels:open_granted" | "connections:read" | "grants:read" | "grants:write" | "ssh_keys:read" | "ssh_keys:write" | "operations:read" | "operations:write" | "audit:read" | "usage:read" | "usage:write" | "events:read" | "webhooks:read" | "webhooks:write" | "rules:read" | "rules:write" | "installation:read" | "installation:write")[];
                };
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedApiKey"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            /** @description `api_key_limit`: The organization has enough API keys; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of an API key. */
                apiKeyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    deleteApiKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of an API key. */
                apiKeyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateApiKey: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of an API key. */
                apiKeyId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Addresses and prefixes that the key may be used from; none: from anywhere. */
                    allowFrom?: string[];
                    /**
                     * Format: date-time
                     * @description At most two years from now; a year when left out.
                     */
                    expiresAt?: string;
                    /** @description A name for people. */
                    name?: string;
                    /** @description What the key may do; nothing that its maker may not do. */
                    scopes?: ("organization:read" | "organization:write" | "members:read" | "members:write" | "owners:write" | "api_keys:read" | "api_keys:write" | "networks:read" | "networks:write" | "devices:read" | "devices:write" | "credentials:read" | "credentials:write" | "authorities:read" | "authorities:write" | "attachments:read" | "attachments:write" | "tunnels:read" | "tunnels:write" | "tunnels:open_granted" | "connections:read" | "grants:read" | "grants:write" | "ssh_keys:read" | "ssh_keys:write" | "operations:read" | "operations:write" | "audit:read" | "usage:read" | "usage:write" | "events:read" | "webhooks:read" | "webhooks:write" | "rules:read" | "rules:write" | "installation:read" | "installation:write")[];
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ApiKey"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    rotateApiKey: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of an API key. */
                apiKeyId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * Format: date-time
                     * @description At most two years from now; a year when left out.
                     */
                    expiresAt?: string;
                    /**
                     * @description Seconds for which the secret so far stays good; 0: it ends at once.
                     * @default 86400
                     */
                    overlapSec?: number;
                };
            };
        };
        responses: {
            /** @description Rotated. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedApiKey"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `api_key_rotating`: An earlier secret of the key is still good; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listAttachments: {
        parameters: {
            query?: {
                behindNat?: boolean;
                concentratorId?: string;
                /** @description Id of a credential. */
                credentialId?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Why it ended. */
                detachReason?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description Id of a network. */
                networkId?: components["parameters"]["NetworkId"];
                /** @description Outer address of the device or of its NAT. */
                remoteAddress?: string;
                /** @description Seen last before (RFC 3339). */
                seenBefore?: string;
                /** @description Seen last at this time or later (RFC 3339). */
                seenFrom?: string;
                /** @description Order; a minus: the other way round. `deviceId` when left out. */
                sort?: "deviceId" | "-deviceId" | "lastSeenAt" | "-lastSeenAt";
                state?: "attached" | "detached";
                /** @description The device has this tag. */
                tag?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of attachments. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AttachmentPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listAuditEntries: {
        parameters: {
            query?: {
                /** @description Of this kind. */
                action?: string;
                /** @description By this API key or person. */
                actorId?: string;
                /** @description Before this time. */
                before?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description At this time or later. */
                from?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description About this thing. */
                targetId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of entries. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditEntryPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    exportAuditEntries: {
        parameters: {
            query?: {
                /** @description Of this kind. */
                action?: string;
                /** @description By this API key or person. */
                actorId?: string;
                /** @description Before this time. */
                before?: string;
                /** @description `ndjson` when left out. */
                format?: "ndjson" | "csv";
                /** @description At this time or later. */
                from?: string;
                /** @description About this thing. */
                targetId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The entries; CSV when asked for. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    finishLogin: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Logged in. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedTokens"];
                };
            };
            /** @description `login_refused`: The login did not come to its end; `validation_failed`: The request has wrong fields; `malformed_request`: The request cannot be read */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_membership`: You are in no organization */
            403: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            404: components["responses"]["LoginOff"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["IdentityProviderUnavailableOrDatabaseUnavailable"];
        };
    };
    logIn: {
        parameters: {
            query?: {
                /** @description The invitation that the person accepts by this login: `acceptUrl` of the member has it. */
                invitation?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description To the identity provider. */
            302: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            404: components["responses"]["LoginOff"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["IdentityProviderUnavailableOrDatabaseUnavailable"];
        };
    };
    logOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Good once. */
                    refreshToken: string;
                };
            };
        };
        responses: {
            /** @description Ended, if it had not before. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            404: components["responses"]["LoginOff"];
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    refreshToken: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The organization that the access token shall be for; the one so far when left out. */
                    organizationId?: string;
                    /** @description Good once. */
                    refreshToken: string;
                };
            };
        };
        responses: {
            /** @description New tokens. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedTokens"];
                };
            };
            /** @description `session_ended`: The session has ended; `validation_failed`: The request has wrong fields; `malformed_request`: The request cannot be read */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `login_off`: People cannot log in here; `not_found`: Not found */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listAutomationRules: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                enabled?: boolean;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of rules. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AutomationRulePage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    createAutomationRule: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description One after the other; one that fails does not keep the others back. */
                    actions: ({
                        /** @description Who may connect: addresses and prefixes. */
                        allowFrom: string[];
                        host?: string | null;
                        /** @enum {string} */
                        kind: "open_tunnel";
                        /** @description A tunnel to each of these TCP ports. */
                        ports: number[];
                        ttlSec?: number | null;
                    } | {
                        /** @enum {string} */
                        kind: "close_tunnels";
                        ports?: number[] | null;
                    } | {
                        /** @enum {string} */
                        kind: "tag_device";
                        tags: string[];
                    } | {
                        /** @enum {string} */
                        kind: "untag_device";
                        tags: string[];
                    } | {
                        /** @enum {string} */
                        kind: "revoke_credentials";
                    } | {
                        /**
                         * @description `slack`: `{"text": "..."}`; `event`: the event. `slack` when left out.
                         * @enum {string}
                         */
                        format?: "slack" | "event";
                        /** @enum {string} */
                        kind: "call_webhook";
                        text?: string | null;
                        /** @description Where to POST to, such as an incoming webhook of Slack. Answers show its host alone. */
                        url: string;
                    } | {
                        /** @description Endpoint of webhooks that gets the `rule.ran` of the run, whatever types it takes. */
                        endpointId: string;
                        /** @enum {string} */
                        kind: "deliver_webhook";
                    })[];
                    during?: {
                        /** @description Of the IANA database. */
                        timeZone: string;
                        windows: {
                            days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
                            from: string;
                            /** @description Not after `from`: of the next day. */
                            to: string;
                        }[];
                    } | null;
                    /** @description Whether it runs. */
                    enabled?: boolean;
                    /** @description Runs beyond are skipped. */
                    maxRunsPerHour?: number;
                    /** @description For people. */
                    name: string;
                    on: {
                        /** @description Only of these devices. */
                        deviceIds?: string[];
                        /** @description Only of devices that have one of these tags. */
                        deviceTags?: string[];
                        /** @description Types of events, or all of a kind (`tunnel.*`); none of `rule.*`. */
                        eventTypes: string[];
                        /** @description Only of devices in these networks. */
                        networkIds?: string[];
                    };
                };
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AutomationRule"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            /** @description `rule_limit`: The organization has enough automation rules; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getAutomationRule: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of an automation rule. */
                ruleId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rule. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AutomationRule"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    deleteAutomationRule: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of an automation rule. */
                ruleId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateAutomationRule: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of an automation rule. */
                ruleId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description One after the other; one that fails does not keep the others back. */
                    actions?: ({
                        /** @description Who may connect: addresses and prefixes. */
                        allowFrom: string[];
                        host?: string | null;
                        /** @enum {string} */
                        kind: "open_tunnel";
                        /** @description A tunnel to each of these TCP ports. */
                        ports: number[];
                        ttlSec?: number | null;
                    } | {
                        /** @enum {string} */
                        kind: "close_tunnels";
                        ports?: number[] | null;
                    } | {
                        /** @enum {string} */
                        kind: "tag_device";
                        tags: string[];
                    } | {
                        /** @enum {string} */
                        kind: "untag_device";
                        tags: string[];
                    } | {
                        /** @enum {string} */
                        kind: "revoke_credentials";
                    } | {
                        /**
                         * @description `slack`: `{"text": "..."}`; `event`: the event. `slack` when left out.
                         * @enum {string}
                         */
                        format?: "slack" | "event";
                        /** @enum {string} */
                        kind: "call_webhook";
                        text?: string | null;
                        /** @description Where to POST to, such as an incoming webhook of Slack. Answers show its host alone. */
                        url: string;
                    } | {
                        /** @description Endpoint of webhooks that gets the `rule.ran` of the run, whatever types it takes. */
                        endpointId: string;
                        /** @enum {string} */
                        kind: "deliver_webhook";
                    })[];
                    during?: {
                        /** @description Of the IANA database. */
                        timeZone: string;
                        windows: {
                            days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
                            from: string;
                            /** @description Not after `from`: of the next day. */
                            to: string;
                        }[];
                    } | null;
                    /** @description Whether it runs. */
                    enabled?: boolean;
                    /** @description Runs beyond are skipped. */
                    maxRunsPerHour?: number;
                    /** @description For people. */
                    name?: string;
                    on?: {
                        /** @description Only of these devices. */
                        deviceIds?: string[];
                        /** @description Only of devices that have one of these tags. */
                        deviceTags?: string[];
                        /** @description Types of events, or all of a kind (`tunnel.*`); none of `rule.*`. */
                        eventTypes: string[];
                        /** @description Only of devices in these networks. */
                        networkIds?: string[];
                    };
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AutomationRule"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    dryRunAutomationRule: {
        parameters: {
            query?: {
                /** @description Events from then on, at most 7 days ago; a day ago when left out. */
                since?: string;
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description Id of an automation rule. */
                ruleId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What would have been done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DryRun"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["IdempotencyInProgress"];
            414: components["responses"]["UriTooLong"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listRuleRuns: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                enabled?: boolean;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
            };
            header?: never;
            path: {
                /** @description Id of an automation rule. */
                ruleId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of runs. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RuleRunPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    dryRunAutomationRuleDraft: {
        parameters: {
            query?: {
                /** @description Events from then on, at most 7 days ago; a day ago when left out. */
                since?: string;
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description One after the other; one that fails does not keep the others back. */
                    actions: ({
                        /** @description Who may connect: addresses and prefixes. */
                        allowFrom: string[];
                        host?: string | null;
                        /** @enum {string} */
                        kind: "open_tunnel";
                        /** @description A tunnel to each of these TCP ports. */
                        ports: number[];
                        ttlSec?: number | null;
                    } | {
                        /** @enum {string} */
                        kind: "close_tunnels";
                        ports?: number[] | null;
                    } | {
                        /** @enum {string} */
                        kind: "tag_device";
                        tags: string[];
                    } | {
                        /** @enum {string} */
                        kind: "untag_device";
                        tags: string[];
                    } | {
                        /** @enum {string} */
                        kind: "revoke_credentials";
                    } | {
                        /**
                         * @description `slack`: `{"text": "..."}`; `event`: the event. `slack` when left out.
                         * @enum {string}
                         */
                        format?: "slack" | "event";
                        /** @enum {string} */
                        kind: "call_webhook";
                        text?: string | null;
                        /** @description Where to POST to, such as an incoming webhook of Slack. Answers show its host alone. */
                        url: string;
                    } | {
                        /** @description Endpoint of webhooks that gets the `rule.ran` of the run, whatever types it takes. */
                        endpointId: string;
                        /** @enum {string} */
                        kind: "deliver_webhook";
                    })[];
                    during?: {
                        /** @description Of the IANA database. */
                        timeZone: string;
                        windows: {
                            days: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[];
                            from: string;
                            /** @description Not after `from`: of the next day. */
                            to: string;
                        }[];
                    } | null;
                    /** @description Whether it runs. */
                    enabled?: boolean;
                    /** @description Runs beyond are skipped. */
                    maxRunsPerHour?: number;
                    /** @description For people. */
                    name: string;
                    on: {
                        /** @description Only of these devices. */
                        deviceIds?: string[];
                        /** @description Only of devices that have one of these tags. */
                        deviceTags?: string[];
                        /** @description Types of events, or all of a kind (`tunnel.*`); none of `rule.*`. */
                        eventTypes: string[];
                        /** @description Only of devices in these networks. */
                        networkIds?: string[];
                    };
                };
            };
        };
        responses: {
            /** @description What would have been done. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DryRun"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["IdempotencyInProgress"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getAuthorities: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description One or more certificates, the one that signs first. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/x-pem-file": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["NoAuthorityOrDatabaseUnavailable"];
        };
    };
    getRevocationList: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The list. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/pkix-crl": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["NoAuthorityOrDatabaseUnavailable"];
        };
    };
    listConcentrators: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConcentratorList"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getConcentrator: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the node. */
                nodeId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The concentrator. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Concentrator"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    showConfigLink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description What is in the link. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The same page for every link. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    openConfigLink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description What is in the link. */
                token: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The configuration of the target, with its secret. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": string;
                    "application/vnd.strongswan.profile": string;
                    "application/x-apple-aspen-config": string;
                    "text/plain": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            408: components["responses"]["RequestTimeout"];
            /** @description `config_link_gone`: The link gives nothing any more */
            410: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listAllConnections: {
        parameters: {
            query?: {
                /** @description The client came from this address or prefix. */
                clientAddress?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Id of a device. */
                deviceId?: components["parameters"]["DeviceId"];
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description Begun before (RFC 3339). */
                openedBefore?: string;
                /** @description Begun at this time or later (RFC 3339). */
                openedFrom?: string;
                /** @description Port of the device that it went to. */
                port?: number;
                /** @description Why it was refused or ended. */
                reason?: string;
                /** @description Order; a minus: the other way round. `-openedAt` when left out. */
                sort?: "-openedAt" | "openedAt";
                state?: "open" | "closed" | "refused";
                /** @description Id of a tunnel. */
                tunnelId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of connections. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listAllCredentials: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Id of a device. */
                deviceId?: components["parameters"]["DeviceId"];
                /** @description It expires before (RFC 3339). */
                expiresBefore?: string;
                /** @description It expires then or later (RFC 3339). */
                expiresFrom?: string;
                kind?: "psk" | "certificate" | "eap" | "ppk";
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description Order; a minus: the other way round. `-createdAt` when left out. By the time when they expire only those are listed that do. */
                sort?: "-createdAt" | "createdAt" | "expiresAt" | "-expiresAt";
                state?: "pending" | "active" | "refused" | "expired" | "revoked";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of credentials. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listDeviceAuthorities: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description SHA-256 of the certificate, hexadecimal. */
                fingerprint?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                /** @description Order; a minus: the other way round. `-createdAt` when left out. */
                sort?: "-createdAt" | "createdAt" | "name" | "-name";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of authorities. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceAuthorityPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    createDeviceAuthority: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description One certificate in PEM, of a root or of any authority below one: it may sign certificates, is valid now, and has an RSA key from 2048 bits, P-256, P-384, P-521 or Ed25519. */
                    certificate: string;
                    /** @description A name for people. */
                    name: string;
                    /** @description `url` is needed unless the mode is `off`. */
                    revocation?: {
                        /**
                         * @description `off`: no list of revoked certificates is fetched, and a certificate counts until its credential is revoked or it expires. `soft`: what a list names is revoked; one that is late or cannot be had changes nothing. `hard`: as `soft`, and nobody stays or is let in without a list that is fresh.
                         * @enum {string}
                         */
                        mode: "off" | "soft" | "hard";
                        /** @description Of the list that this very authority signs, in DER: `http` alone, as lists are signed. Who runs the installation says which hosts may be asked (`CRL_HOSTS`), none of itself. */
                        url?: string;
                    };
                };
            };
        };
        responses: {
            /** @description Registered. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceAuthority"];
                };
            };
            400: components["responses"]["PrivateKeyGivenOrValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            /** @description `authority_exists`: The organization has this authority already; `authority_limit`: The organization has enough authorities; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `authority_refused`: The certificate is not taken as an authority; `idempotency_key_reused`: The Idempotency-Key belongs to another request */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getDeviceAuthority: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of an authority of the organization. */
                authorityId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The authority. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceAuthority"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    deleteDeviceAuthority: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of an authority of the organization. */
                authorityId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateDeviceAuthority: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of an authority of the organization. */
                authorityId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A name for people. */
                    name?: string;
                    /** @description `url` is needed unless the mode is `off`. */
                    revocation?: {
                        /**
                         * @description `off`: no list of revoked certificates is fetched, and a certificate counts until its credential is revoked or it expires. `soft`: what a list names is revoked; one that is late or cannot be had changes nothing. `hard`: as `soft`, and nobody stays or is let in without a list that is fresh.
                         * @enum {string}
                         */
                        mode: "off" | "soft" | "hard";
                        /** @description Of the list that this very authority signs, in DER: `http` alone, as lists are signed. Who runs the installation says which hosts may be asked (`CRL_HOSTS`), none of itself. */
                        url?: string;
                    };
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceAuthority"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listDevices: {
        parameters: {
            query?: {
                /** @description Registered before (RFC 3339). */
                createdBefore?: string;
                /** @description Registered at this time or later (RFC 3339). */
                createdFrom?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description This SIM. */
                iccid?: string;
                /** @description Its number begins so. */
                iccidPrefix?: string;
                /** @description This equipment identity. */
                imei?: string;
                /** @description It begins so. */
                imeiPrefix?: string;
                /** @description This subscriber identity. */
                imsi?: string;
                /** @description It begins so. */
                imsiPrefix?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                /** @description The name begins so, in any case. */
                namePrefix?: string;
                /** @description Id of a network. */
                networkId?: components["parameters"]["NetworkId"];
                /** @description Seen last before (RFC 3339). */
                seenBefore?: string;
                /** @description Seen last at this time or later (RFC 3339). */
                seenFrom?: string;
                /** @description Order; a minus: the other way round. `-createdAt` when left out. By `lastSeenAt` only devices are listed that were ever seen. */
                sort?: "createdAt" | "-createdAt" | "name" | "-name" | "lastSeenAt" | "-lastSeenAt";
                state?: "online" | "offline";
                tag?: string;
                /** @description Tags separated by commas, at most ten: it has all of them. */
                tagsAll?: string;
                /** @description Tags separated by commas, at most ten: it has one of them at least. */
                tagsAny?: string;
                tunnelable?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of devices. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DevicePage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    createDevice: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    eid?: string | null;
                    /**
                     * Format: iccid
                     * @description Number of the SIM (ITU-T E.118), 18 to 22 digits with a Luhn check digit.
                     */
                    iccid: string;
                    imei?: string | null;
                    imsi?: string | null;
                    /** @description IPv4 prefixes of LANs behind the device, such as `192.168.1.0/24`: tunnels may lead to hosts on them, also when other devices have the same. The device must offer them as traffic selectors; what it no longer may speak for ends its attachment. */
                    lanPrefixes?: string[];
                    /** @description A name for people. */
                    name?: string;
                    /** @description Left out: the network `default`, which is made when it is not there. */
                    networkId?: string;
                    proposalTiers?: ("modern" | "standard" | "compat")[] | null;
                    tags?: string[];
                    /** @default true */
                    tunnelable?: boolean;
                };
            };
        };
        responses: {
            /** @description Registered. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Device"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            /** @description `duplicate_iccid`: A device with this ICCID exists; `network_full`: The network has no free address; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getDevice: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The device. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Device"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    deleteDevice: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateDevice: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    eid?: string | null;
                    imei?: string | null;
                    imsi?: string | null;
                    /** @description IPv4 prefixes of LANs behind the device, such as `192.168.1.0/24`: tunnels may lead to hosts on them, also when other devices have the same. The device must offer them as traffic selectors; what it no longer may speak for ends its attachment. */
                    lanPrefixes?: string[];
                    /** @description A name for people. */
                    name?: string;
                    proposalTiers?: ("modern" | "standard" | "compat")[] | null;
                    quota?: {
                        /** @description Octets of both directions together. */
                        bytes: number;
                        /**
                         * @description When it begins anew: each day or month (UTC), or never.
                         * @enum {string}
                         */
                        period: "day" | "month" | "total";
                    } | null;
                    rateLimit?: {
                        downBytesPerSec: number | null;
                        upBytesPerSec: number | null;
                    } | null;
                    tags?: string[];
                    tunnelable?: boolean;
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Device"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getAttachment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The present attachment, or the last one. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Attachment"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["DeviceNotAttached"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    detachDevice: {
        parameters: {
            query?: {
                /** @description Seconds to wait for the result before answering 202; 5 when left out. `Prefer: wait=n` and `Prefer: respond-async` do the same. */
                wait?: components["parameters"]["Wait"];
            };
            header?: never;
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked for, not done yet. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Attachment"];
                };
            };
            /** @description Detached. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["DeviceNotAttached"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listAttempts: {
        parameters: {
            query?: {
                /** @description Before (RFC 3339). */
                before?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description At this time or later (RFC 3339). */
                from?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                reason?: "no_proposal" | "authentication_failed" | "no_credential" | "credential_expired" | "credential_revoked" | "refused" | "no_address" | "protocol_error" | "timed_out" | "superseded" | "redirected" | "shutdown";
                stage?: "init" | "intermediate" | "auth" | "eap" | "attach" | "resume";
            };
            header?: never;
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of attempts. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AttachAttemptPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getDeviceConfig: {
        parameters: {
            query: {
                /** @description How the device proves itself; left out: as with its newest credential, psk without any. */
                auth?: "psk" | "certificate" | "eap";
                /** @description What the device runs. `openwrt-uci` has the option names of strongSwan packages from August 2026 on, `openwrt-uci-legacy` those before. */
                target: "swanctl" | "openwrt-uci" | "openwrt-uci-legacy" | "routeros7" | "libreswan" | "mobileconfig" | "sswan" | "windows-powershell" | "ios-xe" | "generic-json";
            };
            header?: never;
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The configuration, to be pasted or installed. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeviceConfiguration"];
                    "application/vnd.strongswan.profile": string;
                    "application/x-apple-aspen-config": string;
                    "text/plain": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            /** @description `config_not_possible`: This target cannot be configured for the device */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["NoConcentratorOrDatabaseUnavailable"];
        };
    };
    createConfigLink: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description A certificate of the device, whose private key the device has. The secrets of others cannot be read back. */
                    credentialId?: string;
                    /**
                     * @description Seconds until the link gives nothing any more.
                     * @default 900
                     */
                    expiresInSec?: number;
                    /** @description Credentials that are issued with the link, whose secrets are in it: `psk` or `eap`, and `ppk` beside it when the device shall have a new one. Either this or `credentialId`. */
                    issue?: ("psk" | "eap" | "ppk")[];
                    /**
                     * @description What the device runs. `openwrt-uci` has the option names of strongSwan packages from August 2026 on, `openwrt-uci-legacy` those before.
                     * @enum {string}
                     */
                    target: "swanctl" | "openwrt-uci" | "openwrt-uci-legacy" | "routeros7" | "libreswan" | "mobileconfig" | "sswan" | "windows-powershell" | "ios-xe" | "generic-json";
                };
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConfigLink"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `credential_limit`: The device has enough credentials; `secret_not_readable`: The secret of this credential cannot be read back; `config_link_limit`: The device has enough links that wait; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `config_not_possible`: This target cannot be configured for the device; `idempotency_key_reused`: The Idempotency-Key belongs to another request */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["NoConcentratorOrDatabaseUnavailable"];
        };
    };
    withdrawConfigLink: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a one-time link. */
                configLinkId: string;
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It gives nothing any more. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listCredentials: {
        parameters: {
            query?: {
                kind?: "psk" | "certificate" | "eap" | "ppk";
                state?: "pending" | "active" | "refused" | "expired" | "revoked";
            };
            header?: never;
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CredentialList"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    issueCredential: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
                /** @description Seconds to wait for the result before answering 202; 5 when left out. `Prefer: wait=n` and `Prefer: respond-async` do the same. */
                wait?: components["parameters"]["Wait"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Id of an authority of the organization. */
                    authorityId?: string;
                    /** @description certificate, with `authorityId` and instead of `csr`: the device's certificate in PEM, issued by that authority of the organization, then those between, if any. It need not name the device, which claims its `ikeIdentity` all the same. */
                    certificate?: string;
                    /** @description certificate: a certificate request (PKCS#10) in PEM, made on the device with its own key. Names in it are not looked at. */
                    csr?: string;
                    /** Format: date-time */
                    expiresAt?: string;
                    /**
                     * @description `psk` (default when left out), `certificate`, `eap`, or `ppk`, a post-quantum key (RFC 8784) that is mixed into the others.
                     * @enum {string}
                     */
                    kind?: "psk" | "certificate" | "eap" | "ppk";
                    /**
                     * @description eap: the method, mschapv2 when left out. EAP-TLS takes a credential of kind certificate.
                     * @enum {string}
                     */
                    method?: "mschapv2";
                    /** @description psk: a key of your own, visible ASCII, at least 128 bits by estimate. Left out: 256 random bits are made. */
                    psk?: string;
                    /** @description ppk: refuse the device when it does not use it; false when left out. */
                    required?: boolean;
                };
            };
        };
        responses: {
            /** @description Issued. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedCredential"];
                };
            };
            /** @description A certificate that is not signed yet: read the credential later. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedCredential"];
                };
            };
            400: components["responses"]["PrivateKeyGivenOrValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `credential_limit`: The device has enough credentials; `certificate_limit`: The device has had too many certificates; `certificate_in_use`: The certificate is a credential already; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `weak_psk`: The pre-shared key is too weak; `csr_refused`: No certificate is made for this request; `certificate_refused`: The certificate is not taken as a credential; `idempotency_key_reused`: The Idempotency-Key belongs to another request */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getCredential: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a credential. */
                credentialId: string;
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The credential. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Credential"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    revokeCredential: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a credential. */
                credentialId: string;
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `credential_revoked`: The credential is already revoked */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listSas: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a device. */
                deviceId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SaList"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    deleteDevices: {
        parameters: {
            query?: {
                /** @description A rehearsal: the devices are counted, nothing is changed. */
                validateOnly?: boolean;
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Every device, instead of `filter`.
                     * @enum {boolean}
                     */
                    all?: true;
                    /** @description As in the list of devices: all that is given must hold. */
                    filter?: {
                        /**
                         * Format: date-time
                         * @description Registered before (RFC 3339).
                         */
                        createdBefore?: string;
                        /**
                         * Format: date-time
                         * @description Registered at this time or later (RFC 3339).
                         */
                        createdFrom?: string;
                        /** @description This SIM. */
                        iccid?: string;
                        /** @description Its number begins so. */
                        iccidPrefix?: string;
                        /** @description This equipment identity. */
                        imei?: string;
                        /** @description It begins so. */
                        imeiPrefix?: string;
                        /** @description This subscriber identity. */
                        imsi?: string;
                        /** @description It begins so. */
                        imsiPrefix?: string;
                        /** @description A part of the name, in any case. */
                        name?: string;
                        /** @description The name begins so, in any case. */
                        namePrefix?: string;
                        /** @description Id of a network. */
                        networkId?: string;
                        /**
                         * Format: date-time
                         * @description Seen last before (RFC 3339).
                         */
                        seenBefore?: string;
                        /**
                         * Format: date-time
                         * @description Seen last at this time or later (RFC 3339).
                         */
                        seenFrom?: string;
                        /** @enum {string} */
                        state?: "online" | "offline";
                        tag?: string;
                        /** @description Tags separated by commas, at most ten: it has all of them. */
                        tagsAll?: string;
                        /** @description Tags separated by commas, at most ten: it has one of them at least. */
                        tagsAny?: string;
                        tunnelable?: boolean;
                    };
                };
            };
        };
        responses: {
            /** @description Begun: see `/v1/operations/{id}`, also with `wait`. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["OperationLimitOrIdempotencyInProgress"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateDevices: {
        parameters: {
            query?: {
                /** @description A rehearsal: the devices are counted, nothing is changed. */
                validateOnly?: boolean;
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * @description Every device, instead of `filter`.
                     * @enum {boolean}
                     */
                    all?: true;
                    change: {
                        addTags?: string[];
                        proposalTiers?: ("modern" | "standard" | "compat")[] | null;
                        removeTags?: string[];
                        tunnelable?: boolean;
                    };
                    /** @description As in the list of devices: all that is given must hold. */
                    filter?: {
                        /**
                         * Format: date-time
                         * @description Registered before (RFC 3339).
                         */
                        createdBefore?: string;
                        /**
                         * Format: date-time
                         * @description Registered at this time or later (RFC 3339).
                         */
                        createdFrom?: string;
                        /** @description This SIM. */
                        iccid?: string;
                        /** @description Its number begins so. */
                        iccidPrefix?: string;
                        /** @description This equipment identity. */
                        imei?: string;
                        /** @description It begins so. */
                        imeiPrefix?: string;
                        /** @description This subscriber identity. */
                        imsi?: string;
                        /** @description It begins so. */
                        imsiPrefix?: string;
                        /** @description A part of the name, in any case. */
                        name?: string;
                        /** @description The name begins so, in any case. */
                        namePrefix?: string;
                        /** @description Id of a network. */
                        networkId?: string;
                        /**
                         * Format: date-time
                         * @description Seen last before (RFC 3339).
                         */
                        seenBefore?: string;
                        /**
                         * Format: date-time
                         * @description Seen last at this time or later (RFC 3339).
                         */
                        seenFrom?: string;
                        /** @enum {string} */
                        state?: "online" | "offline";
                        tag?: string;
                        /** @description Tags separated by commas, at most ten: it has all of them. */
                        tagsAll?: string;
                        /** @description Tags separated by commas, at most ten: it has one of them at least. */
                        tagsAny?: string;
                        tunnelable?: boolean;
                    };
                };
            };
        };
        responses: {
            /** @description Begun: see `/v1/operations/{id}`, also with `wait`. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["OperationLimitOrIdempotencyInProgress"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    exportDevices: {
        parameters: {
            query?: {
                /** @description Registered before (RFC 3339). */
                createdBefore?: string;
                /** @description Registered at this time or later (RFC 3339). */
                createdFrom?: string;
                /** @description `ndjson` when left out. */
                format?: "ndjson" | "csv";
                /** @description This SIM. */
                iccid?: string;
                /** @description Its number begins so. */
                iccidPrefix?: string;
                /** @description This equipment identity. */
                imei?: string;
                /** @description It begins so. */
                imeiPrefix?: string;
                /** @description This subscriber identity. */
                imsi?: string;
                /** @description It begins so. */
                imsiPrefix?: string;
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                /** @description The name begins so, in any case. */
                namePrefix?: string;
                /** @description Id of a network. */
                networkId?: components["parameters"]["NetworkId"];
                /** @description Seen last before (RFC 3339). */
                seenBefore?: string;
                /** @description Seen last at this time or later (RFC 3339). */
                seenFrom?: string;
                state?: "online" | "offline";
                tag?: string;
                /** @description Tags separated by commas, at most ten: it has all of them. */
                tagsAll?: string;
                /** @description Tags separated by commas, at most ten: it has one of them at least. */
                tagsAny?: string;
                tunnelable?: boolean;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The devices; CSV when asked for. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    importDevices: {
        parameters: {
            query?: {
                /** @description Id of a network. */
                networkId?: components["parameters"]["NetworkId"];
                /** @description What becomes of a row whose ICCID belongs to a device: it is a fault (as when left out), it is left alone, or the device takes what the row names. */
                onExisting?: "fail" | "skip" | "update";
                /** @description A rehearsal: every row is checked, faults are told, nothing is registered. */
                validateOnly?: boolean;
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/x-ndjson": string;
                "text/csv": string;
            };
        };
        responses: {
            /** @description Begun: see `/v1/operations/{id}`, also with `wait`. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `operation_limit`: Enough operations are under way; `operation_cancelled`: The operation was cancelled; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /** @description A cursor: `nextCursor` of a page, or `id` of an event of a stream. Without it: the oldest event that is kept. */
                after?: string;
                /** @description Only about this device, its credentials and its tunnels. */
                deviceId?: string;
                /** @description Most events of a page. */
                limit?: number;
                /** @description Only about this resource. */
                resourceId?: string;
                /** @description Instead of `after`: from this time on, and perhaps a few minutes before; `now`: what is yet to come. */
                since?: "now" | string;
                /** @description Only these types, separated by commas; `device.*` is all of a kind. */
                types?: string;
                /** @description Seconds to wait for an event when there is none yet. */
                wait?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of events, or a stream of them. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["EventPage"];
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            410: components["responses"]["CursorExpired"];
            414: components["responses"]["UriTooLong"];
            /** @description `stream_limit`: Enough calls wait for events already; `rate_limited`: There were too many calls */
            429: {
                headers: {
                    "Retry-After": components["headers"]["RetryAfter"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of an event. */
                eventId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The event. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Event"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listGateways: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All of them. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GatewayList"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getGateway: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the node. */
                nodeId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The gateway. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Gateway"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listGrants: {
        parameters: {
            query?: {
                /** @description It has not ended; false: it has. */
                active?: boolean;
                /** @description Id of an API key. */
                apiKeyId?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description Id of a member. */
                memberId?: string;
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                /** @description Order; a minus: the other way round. `-createdAt` when left out. */
                sort?: "-createdAt" | "createdAt" | "expiresAt" | "-expiresAt";
                /** @description It asks for this tag. */
                tag?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of grants. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["GrantPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    createGrant: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The device has all of them. There is one tag at least in one of both lists. */
                    allTags?: string[];
                    /** @description The device has one of them at least. */
                    anyTags?: string[];
                    /** @description Id of an API key. */
                    apiKeyId?: string;
                    /**
                     * Format: date-time
                     * @description At most a year from now.
                     */
                    expiresAt: string;
                    /** @description Addresses and prefixes of hosts on LANs behind the devices; without any, tunnels lead to the devices themselves alone. */
                    hosts?: string[];
                    /** @description Id of a member. */
                    memberId?: string;
                    /** @description What it is for, for people. */
                    name: string;
                    ports: number[] | null;
                };
            };
        };
        responses: {
            /** @description Granted. */
            201: {
                headers: {
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grant"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `grant_limit`: The holder has enough grants; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getGrant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a grant. */
                grantId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The grant. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Grant"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    revokeGrant: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a grant. */
                grantId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getCaller: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The API key or person behind this call. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Caller"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listMembers: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description A part of the address, in any case. */
                email?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                role?: "owner" | "admin" | "operator" | "viewer";
                /** @description Order; a minus: the other way round. `-createdAt` when left out. */
                sort?: "-createdAt" | "createdAt" | "email" | "-email";
                state?: "invited" | "invitation_expired" | "active" | "locked";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of members. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["MemberPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    inviteMember: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /**
                     * Format: email
                     * @description Who logs in with this address, verified by the identity provider, becomes the member.
                     */
                    email: string;
                    /**
                     * @description `owner`: everything; `admin`: everything but owners; `operator`: devices, credentials and tunnels; `viewer`: reads, and opens tunnels that a grant allows.
                     * @enum {string}
                     */
                    role: "owner" | "admin" | "operator" | "viewer";
                };
            };
        };
        responses: {
            /** @description Invited. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            /** @description `member_exists`: This address is a member or invited already; `member_limit`: The organization has enough members; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of a member. */
                memberId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The member. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    removeMember: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a member. */
                memberId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Removed. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["LastOwner"];
            412: components["responses"]["PreconditionFailed"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateMember: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a member. */
                memberId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description The person is kept out of this organization: tokens for it are refused at once, tunnels that it opened end, rules that it made rest. Grants and SSH keys stay, and are good again when it is let in. API keys that it made go on: look at `createdBy`. */
                    locked?: boolean;
                    /**
                     * @description `owner`: everything; `admin`: everything but owners; `operator`: devices, credentials and tunnels; `viewer`: reads, and opens tunnels that a grant allows.
                     * @enum {string}
                     */
                    role?: "owner" | "admin" | "operator" | "viewer";
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Member"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["LastOwner"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    signOutMember: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description Id of a member. */
                memberId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Signed out. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["IdempotencyInProgress"];
            414: components["responses"]["UriTooLong"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listNetworks: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                /** @description Order; a minus: the other way round. `-createdAt` when left out. */
                sort?: "-createdAt" | "createdAt" | "name" | "-name";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of networks. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NetworkPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    createNetwork: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    connectionEvents?: boolean | null;
                    /** @description Its devices may reach each other. Switching it off acts on live tunnels of devices; switching it on reaches attached devices by a rekey, when their own configuration allows for it. */
                    deviceToDevice?: boolean;
                    /** @description Domains that only these resolvers resolve (RFC 8598); without any, a device decides itself. */
                    dnsDomains?: string[];
                    /** @description Resolvers told to devices, IPv4 and IPv6 addresses. */
                    dnsServers?: string[];
                    /** @description A name that no other network of yours has. */
                    name: string;
                    /**
                     * Format: cidr
                     * @description Inner IPv4 addresses of your choice, a prefix of 14 to 28 bits out of the range of the installation (10.128.0.0/9). Left out: a free one is allotted.
                     */
                    pool?: string;
                    /** @description Length of the pool that is allotted; 20 when left out. */
                    poolBits?: number;
                    proposalTiers?: ("modern" | "standard" | "compat")[] | null;
                    rateLimit?: {
                        downBytesPerSec: number | null;
                        upBytesPerSec: number | null;
                    } | null;
                    reauthenticateAfterSec?: number | null;
                };
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Network"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            /** @description `duplicate_network`: A network with this name exists; `pool_taken`: The pool cannot be had; `network_limit`: The organization has enough networks; `network_full`: The network has no free address; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getNetwork: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of a network. */
                networkId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The network. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Network"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    deleteNetwork: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a network. */
                networkId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `network_in_use`: The network has devices */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateNetwork: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a network. */
                networkId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    connectionEvents?: boolean | null;
                    /** @description Its devices may reach each other. Switching it off acts on live tunnels of devices; switching it on reaches attached devices by a rekey, when their own configuration allows for it. */
                    deviceToDevice?: boolean;
                    /** @description Domains that only these resolvers resolve (RFC 8598); without any, a device decides itself. */
                    dnsDomains?: string[];
                    /** @description Resolvers told to devices, IPv4 and IPv6 addresses. */
                    dnsServers?: string[];
                    /** @description A name that no other network of yours has. */
                    name?: string;
                    proposalTiers?: ("modern" | "standard" | "compat")[] | null;
                    rateLimit?: {
                        downBytesPerSec: number | null;
                        upBytesPerSec: number | null;
                    } | null;
                    reauthenticateAfterSec?: number | null;
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Network"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `duplicate_network`: A network with this name exists */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listOperations: {
        parameters: {
            query?: {
                /** @description Begun before (RFC 3339). */
                createdBefore?: string;
                /** @description Begun at this time or later (RFC 3339). */
                createdFrom?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                done?: boolean;
                kind?: "device_import" | "device_update" | "device_delete" | "webhook_replay";
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                state?: "receiving" | "waiting" | "running" | "succeeded" | "failed" | "cancelled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of operations. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["OperationPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getOperation: {
        parameters: {
            query?: {
                /** @description Seconds to wait for the result before answering 202; 5 when left out. `Prefer: wait=n` and `Prefer: respond-async` do the same. */
                wait?: components["parameters"]["Wait"];
            };
            header?: never;
            path: {
                /** @description Id of an operation. */
                operationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operation. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    cancelOperation: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description Id of an operation. */
                operationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Asked for; `done` tells whether it has ended already. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `operation_done`: The operation is done; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            414: components["responses"]["UriTooLong"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getOperationErrors: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of an operation. */
                operationId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The faults, in order of rows. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getOrganization: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The organization. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateOrganization: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Each connection through a tunnel is told as events (`connection.*`), up to 120 new ones of a tunnel in a minute, to everybody who takes events. False for an organization: only where an endpoint of webhooks or a rule names them; false for a network: never. */
                    connectionEvents?: boolean;
                    /** @description A name for people. */
                    name?: string;
                    proposalTiers?: ("modern" | "standard" | "compat")[] | null;
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Organization"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listSigningKeys: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The one that signs last first. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SigningKeyList"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    revokeSigningKey: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Its name in tokens and in the JWK Set (`kid`). */
                kid: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Revoked. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    rotateSigningKeys: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Tokens that other keys have signed are refused at once: people get new ones with their refresh tokens. False when left out: they are good until they expire.
                     * @default false
                     */
                    revoke?: boolean;
                };
            };
        };
        responses: {
            /** @description Rotated. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SigningKeyList"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["LoginOff"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["IdempotencyInProgress"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listSshKeys: {
        parameters: {
            query?: {
                /** @description Id of an API key. */
                apiKeyId?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description As `ssh-keygen -l` shows it. */
                fingerprint?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description Id of a member. */
                memberId?: string;
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                /** @description Order; a minus: the other way round. `-createdAt` when left out. */
                sort?: "-createdAt" | "createdAt" | "name" | "-name";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of keys. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SshKeyPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    createSshKey: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        /** @description Without `memberId` and `apiKeyId` it is a key of the caller. Without `name` its comment is the name. */
        requestBody: {
            content: {
                "application/json": {
                    /** @description Id of an API key. */
                    apiKeyId?: string;
                    expiresAt?: string | null;
                    /** @description Id of a member. */
                    memberId?: string;
                    /** @description A name for people. */
                    name?: string;
                    /** @description One line of a file that ends in `.pub`: Ed25519, ECDSA (P-256, P-384, P-521), RSA from 2048 bits, or a key in a security key (`sk-`). A comment behind it is kept. */
                    publicKey: string;
                };
            };
        };
        responses: {
            /** @description Registered. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SshKey"];
                };
            };
            400: components["responses"]["PrivateKeyGivenOrValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `ssh_key_exists`: The organization has this SSH key already; `ssh_key_limit`: The owner has enough SSH keys; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getSshKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of an SSH key. */
                sshKeyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The key. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SshKey"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    deleteSshKey: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of an SSH key. */
                sshKeyId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateSshKey: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of an SSH key. */
                sshKeyId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    expiresAt?: string | null;
                    /** @description A name for people. */
                    name?: string;
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SshKey"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listTunnels: {
        parameters: {
            query?: {
                /** @description It has not ended; false: it has. */
                active?: boolean;
                /** @description Asked for before (RFC 3339). */
                createdBefore?: string;
                /** @description Asked for at this time or later (RFC 3339). */
                createdFrom?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Id of a device. */
                deviceId?: components["parameters"]["DeviceId"];
                /** @description It expires before (RFC 3339). */
                expiresBefore?: string;
                /** @description Id of a grant. */
                grantId?: string;
                /** @description It leads to this host on a LAN behind the device. */
                host?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description Id of a network. */
                networkId?: components["parameters"]["NetworkId"];
                /** @description Who opened it: key or person. */
                openedBy?: string;
                /** @description Of the device, or of `host`. */
                port?: number;
                /** @description Order; a minus: the other way round. `-createdAt` when left out. By `expiresAt` only tunnels are listed that have not ended. */
                sort?: "-createdAt" | "createdAt" | "expiresAt" | "-expiresAt";
                /** @description It is in one of these states, separated by commas: `requested`, `waiting_for_device`, `opening`, `open`, `draining`, `closed`, `expired`, `failed`. */
                state?: string;
                /** @description The device has this tag. */
                tag?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of tunnels. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["TunnelPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    openTunnel: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
                /** @description Seconds to wait for the result before answering 202; 5 when left out. `Prefer: wait=n` and `Prefer: respond-async` do the same. */
                wait?: components["parameters"]["Wait"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Who may connect: addresses and prefixes. Left out: only the address this call comes from, as the API sees it. */
                    allowFrom?: string[];
                    /** @description Id of a device. */
                    deviceId: string;
                    host?: string | null;
                    maxBytes?: number | null;
                    /** @description TCP port of the device, or of `host`. */
                    port: number;
                    rateLimit?: {
                        downBytesPerSec: number | null;
                        upBytesPerSec: number | null;
                    } | null;
                    /**
                     * @description Seconds until the tunnel expires.
                     * @default 3600
                     */
                    ttlSec?: number;
                    /**
                     * @description Open the tunnel when the device attaches, instead of refusing while it is offline.
                     * @default false
                     */
                    waitForDevice?: boolean;
                };
            };
        };
        responses: {
            /** @description Open: connect to `host` and `port`. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tunnel"];
                };
            };
            /** @description Not open yet: read the tunnel again. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tunnel"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `device_offline`: The device is offline; `device_not_tunnelable`: Tunnels to this device are switched off; `tunnel_limit`: The device has enough tunnels; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `host_outside_lans`: The host is on no LAN of the device; `idempotency_key_reused`: The Idempotency-Key belongs to another request */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            /** @description `no_gateway`: No gateway is ready; `tunnel_failed`: The tunnel could not be opened; `database_unavailable`: The database cannot be reached */
            503: {
                headers: {
                    "Retry-After": components["headers"]["RetryAfter"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getTunnel: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of a tunnel. */
                tunnelId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The tunnel. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tunnel"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    closeTunnel: {
        parameters: {
            query?: {
                /** @description Seconds to wait for the result before answering 202; 5 when left out. `Prefer: wait=n` and `Prefer: respond-async` do the same. */
                wait?: components["parameters"]["Wait"];
            };
            header?: never;
            path: {
                /** @description Id of a tunnel. */
                tunnelId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Closing. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tunnel"];
                };
            };
            /** @description Closed. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateTunnel: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a tunnel. */
                tunnelId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Who may connect: addresses and prefixes. Left out: only the address this call comes from, as the API sees it. */
                    allowFrom?: string[];
                    maxBytes?: number | null;
                    rateLimit?: {
                        downBytesPerSec: number | null;
                        upBytesPerSec: number | null;
                    } | null;
                    /** @description Seconds from now until the tunnel expires. */
                    ttlSec?: number;
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tunnel"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `tunnel_not_active`: The tunnel has ended */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listConnections: {
        parameters: {
            query?: {
                /** @description The client came from this address or prefix. */
                clientAddress?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description Begun before (RFC 3339). */
                openedBefore?: string;
                /** @description Begun at this time or later (RFC 3339). */
                openedFrom?: string;
                /** @description Why it was refused or ended. */
                reason?: string;
                /** @description Order; a minus: the other way round. `-openedAt` when left out. */
                sort?: "-openedAt" | "openedAt";
                state?: "open" | "closed" | "refused";
            };
            header?: never;
            path: {
                /** @description Id of a tunnel. */
                tunnelId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of connections. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ConnectionPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listUsage: {
        parameters: {
            query?: {
                /** @description Before this time; now when left out. */
                before?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Id of a device. */
                deviceId?: components["parameters"]["DeviceId"];
                /** @description At this time or later; a day before `before` when left out. */
                from?: string;
                /** @description What a row is of; `device` when left out. */
                groupBy?: "device" | "tunnel" | "organization";
                /** @description `hour` when left out. Days are those of UTC. */
                interval?: "hour" | "day";
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description Id of a tunnel. */
                tunnelId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of usage. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsagePage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listUsageThresholds: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Id of a device. */
                deviceId?: components["parameters"]["DeviceId"];
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                /** @description Of the devices with this tag. */
                tag?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of thresholds. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageThresholdPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    createUsageThreshold: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Octets of both directions. */
                    bytes: number;
                    /** @description Id of a device. */
                    deviceId?: string;
                    /** @description For people. */
                    name: string;
                    /** @description Percents of `bytes` to tell of, each once in a period; 80 and 100 when left out. */
                    percents?: number[];
                    /**
                     * @description Of UTC.
                     * @enum {string}
                     */
                    period: "day" | "month";
                    /** @description All devices with this tag together. */
                    tag?: string;
                };
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageThreshold"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `threshold_limit`: The organization has enough thresholds; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getUsageThreshold: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of a threshold. */
                thresholdId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The threshold. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageThreshold"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    deleteUsageThreshold: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a threshold. */
                thresholdId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateUsageThreshold: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a threshold. */
                thresholdId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Octets of both directions. */
                    bytes?: number;
                    /** @description For people. */
                    name?: string;
                    /** @description Percents of `bytes` to tell of, each once in a period; 80 and 100 when left out. */
                    percents?: number[];
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["UsageThreshold"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    exportUsage: {
        parameters: {
            query?: {
                /** @description Before this time; now when left out. */
                before?: string;
                /** @description Id of a device. */
                deviceId?: components["parameters"]["DeviceId"];
                /** @description `ndjson` when left out. */
                format?: "ndjson" | "csv";
                /** @description At this time or later; a day before `before` when left out. */
                from?: string;
                /** @description What a row is of; `device` when left out. */
                groupBy?: "device" | "tunnel" | "organization";
                /** @description `hour` when left out. Days are those of UTC. */
                interval?: "hour" | "day";
                /** @description Id of a tunnel. */
                tunnelId?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The rows; CSV when asked for. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/x-ndjson": string;
                    "text/csv": string;
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listWebhookEndpoints: {
        parameters: {
            query?: {
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                /** @description A part of the name, in any case. */
                name?: components["parameters"]["Name"];
                state?: "enabled" | "disabled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of endpoints. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookEndpointPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    createWebhookEndpoint: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Only events about devices with at least one of these tags; none: any. */
                    deviceTags?: string[];
                    /** @description Types of events, or all of a kind (`tunnel.*`, also those to come); none: all, and of connections what the organization or the network asks for (`connectionEvents`). To name `connection.*` asks for them too. */
                    eventTypes?: string[];
                    maxPerSec?: number | null;
                    /** @description A name for people. */
                    name: string;
                    /** @description Only events about devices in these networks, or about the networks themselves; none: any. */
                    networkIds?: string[];
                    /**
                     * @description `hmac`: a secret that both sides know. `ed25519`: a public key verifies, so that what your receiver is configured with forges nothing.
                     * @enum {string}
                     */
                    signing?: "hmac" | "ed25519";
                    /** @description Where deliveries are posted to; its host must be on the public Internet. */
                    url: string;
                };
            };
        };
        responses: {
            /** @description Made. */
            201: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    Location: components["headers"]["Location"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedWebhookEndpoint"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            /** @description `webhooks_off`: There are no webhooks here */
            404: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            408: components["responses"]["RequestTimeout"];
            /** @description `webhook_endpoint_limit`: The organization has enough webhook endpoints; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `url_refused`: Nothing is sent to this URL; `idempotency_key_reused`: The Idempotency-Key belongs to another request */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getWebhookEndpoint: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read before: while it is still the same the answer is 304, without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The endpoint. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookEndpoint"];
                };
            };
            /** @description As it was when it was read. */
            304: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    deleteWebhookEndpoint: {
        parameters: {
            query?: never;
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Deleted. */
            204: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    updateWebhookEndpoint: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Only events about devices with at least one of these tags; none: any. */
                    deviceTags?: string[];
                    /** @description Types of events, or all of a kind (`tunnel.*`, also those to come); none: all, and of connections what the organization or the network asks for (`connectionEvents`). To name `connection.*` asks for them too. */
                    eventTypes?: string[];
                    maxPerSec?: number | null;
                    /** @description A name for people. */
                    name?: string;
                    /** @description Only events about devices in these networks, or about the networks themselves; none: any. */
                    networkIds?: string[];
                    /**
                     * @description Nothing is delivered until `/enable`; what waits goes on waiting.
                     * @enum {string}
                     */
                    state?: "disabled";
                    /** @description Where deliveries are posted to; its host must be on the public Internet. */
                    url?: string;
                };
            };
        };
        responses: {
            /** @description Changed. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookEndpoint"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrWebhooksOff"];
            408: components["responses"]["RequestTimeout"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            /** @description `url_refused`: Nothing is sent to this URL */
            422: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    listWebhookDeliveries: {
        parameters: {
            query?: {
                /** @description Made before this time. */
                before?: string;
                /** @description `nextCursor` of the page before. */
                cursor?: components["parameters"]["Cursor"];
                eventId?: string;
                eventType?: string;
                /** @description Made at this time or later. */
                from?: string;
                /** @description Most items on a page. */
                limit?: components["parameters"]["Limit"];
                resourceId?: string;
                state?: "pending" | "delivered" | "failed" | "aborted";
            };
            header?: never;
            path: {
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of deliveries. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryPage"];
                };
            };
            400: components["responses"]["InvalidCursorOrValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    getWebhookDelivery: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Id of a delivery. */
                deliveryId: string;
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The delivery. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDeliveryDetail"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequest"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            414: components["responses"]["UriTooLong"];
            429: components["responses"]["RateLimited"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    replayWebhookDelivery: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
                /** @description Seconds to wait for the result before answering 202; 5 when left out. `Prefer: wait=n` and `Prefer: respond-async` do the same. */
                wait?: components["parameters"]["Wait"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description Id of a delivery. */
                deliveryId: string;
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On its way, or there: see `state` and `lastAttempt`. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `webhook_disabled`: The webhook endpoint is disabled; `event_forgotten`: The event is forgotten; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            414: components["responses"]["UriTooLong"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    enableWebhookEndpoint: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Deliver also what failed, or came while it was disabled.
                     * @default true
                     */
                    redeliver?: boolean;
                };
            };
        };
        responses: {
            /** @description Enabled. */
            200: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookRecovery"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            409: components["responses"]["OperationLimitOrIdempotencyInProgress"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    replayWebhookEvents: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    /** @description Instead of `since`, a cursor of `/v1/events`: events after it, in order of the feed. */
                    after?: string;
                    /**
                     * @description `failed`: what was not delivered, or never tried, such as what came before the endpoint was made. `all`, which is usual: also what was delivered.
                     * @enum {string}
                     */
                    deliveries?: "failed" | "all";
                    /**
                     * Format: date-time
                     * @description Events from then on, in order of time.
                     */
                    since?: string;
                    /**
                     * Format: date-time
                     * @description Events before then; now when left out.
                     */
                    until?: string;
                };
            };
        };
        responses: {
            /** @description Under way. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            /** @description `invalid_cursor`: The cursor is not valid; `validation_failed`: The request has wrong fields; `malformed_request`: The request cannot be read; `invalid_idempotency_key`: The Idempotency-Key cannot be read */
            400: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `webhook_disabled`: The webhook endpoint is disabled; `operation_limit`: Enough operations are under way; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            410: components["responses"]["CursorExpired"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    rotateWebhookSecret: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
                /** @description The `ETag` of what was read: the change is only made when nobody has changed it since (412). */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": {
                    /**
                     * @description Seconds for which deliveries are signed with the key so far as well; 0: it ends at once.
                     * @default 86400
                     */
                    overlapSec?: number;
                    /**
                     * @description `hmac`: a secret that both sides know. `ed25519`: a public key verifies, so that what your receiver is configured with forges nothing.
                     * @enum {string}
                     */
                    signing?: "hmac" | "ed25519";
                };
            };
        };
        responses: {
            /** @description Rotated. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["IssuedWebhookEndpoint"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFoundOrWebhooksOff"];
            408: components["responses"]["RequestTimeout"];
            /** @description `webhook_rotating`: The key before is still good; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["PayloadTooLarge"];
            414: components["responses"]["UriTooLong"];
            415: components["responses"]["UnsupportedMediaType"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    testWebhookEndpoint: {
        parameters: {
            query?: {
                /** @description Only try: answer as it would be, with `Validate-Only: true`, and change nothing. */
                validateOnly?: components["parameters"]["ValidateOnly"];
                /** @description Seconds to wait for the result before answering 202; 5 when left out. `Prefer: wait=n` and `Prefer: respond-async` do the same. */
                wait?: components["parameters"]["Wait"];
            };
            header?: {
                /** @description A name for this request that no other request of yours has, such as a UUID, in quotes. Sent again with it within 24 hours, the request is not done again: its first answer comes back, with `Idempotency-Replayed: true`. */
                "Idempotency-Key"?: components["parameters"]["IdempotencyKey"];
            };
            path: {
                /** @description Id of a webhook endpoint. */
                endpointId: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description On its way, or there: see `state` and `lastAttempt`. */
            202: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"];
                };
            };
            400: components["responses"]["ValidationFailedOrMalformedRequestOrInvalidIdempotencyKey"];
            401: components["responses"]["Unauthenticated"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            408: components["responses"]["RequestTimeout"];
            /** @description `webhook_disabled`: The webhook endpoint is disabled; `idempotency_in_progress`: A request with this Idempotency-Key is still being done */
            409: {
                headers: {
                    "X-Request-Id": components["headers"]["RequestId"];
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            414: components["responses"]["UriTooLong"];
            422: components["responses"]["IdempotencyKeyReused"];
            429: components["responses"]["RateLimitedOrIdempotencyLimit"];
            431: components["responses"]["HeadersTooLarge"];
            500: components["responses"]["InternalError"];
            503: components["responses"]["DatabaseUnavailable"];
        };
    };
    onApi_keyCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "api_key.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onApi_keyRevoked: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "api_key.revoked";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onApi_keyRotated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "api_key.rotated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onApi_keyUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "api_key.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConcentratorDraining: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        concentratorId: string;
                        /** @description Devices of the organization that were there. */
                        devices: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "concentrator.draining";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConcentratorLost: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        concentratorId: string;
                        /** @description Devices of the organization that were there. */
                        devices: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "concentrator.lost";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConcentratorOnline: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        concentratorId: string;
                        /** @description Devices of the organization that were there. */
                        devices: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "concentrator.online";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConcentratorStopped: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        concentratorId: string;
                        /** @description Devices of the organization that were there. */
                        devices: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "concentrator.stopped";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConfig_linkCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "config_link.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConfig_linkUsed: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "config_link.used";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConfig_linkWithdrawn: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "config_link.withdrawn";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConnectionClosed: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        bytesDown: number;
                        bytesUp: number;
                        clientAddress: string;
                        clientPort: number;
                        /** Format: date-time */
                        closedAt: string;
                        deviceHost: string | null;
                        /** @description Id of a device. */
                        deviceId: string;
                        devicePort: number;
                        /** Format: date-time */
                        openedAt: string;
                        reason: string | null;
                        /** @description Id of a tunnel. */
                        tunnelId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "connection.closed";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConnectionDenied: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        bytesDown: number;
                        bytesUp: number;
                        clientAddress: string;
                        clientPort: number;
                        /** Format: date-time */
                        closedAt: string;
                        deviceHost: string | null;
                        /** @description Id of a device. */
                        deviceId: string;
                        devicePort: number;
                        /** Format: date-time */
                        openedAt: string;
                        reason: string | null;
                        /** @description Id of a tunnel. */
                        tunnelId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "connection.denied";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onConnectionOpened: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        clientAddress: string;
                        clientPort: number;
                        deviceHost: string | null;
                        /** @description Id of a device. */
                        deviceId: string;
                        devicePort: number;
                        /** Format: date-time */
                        openedAt: string;
                        /** @description Id of a tunnel. */
                        tunnelId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "connection.opened";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onCredentialCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        /** @enum {string} */
                        kind: "psk" | "certificate" | "eap" | "ppk";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "credential.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onCredentialExpired: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        /** Format: date-time */
                        expiresAt: string;
                        /** @enum {string} */
                        kind: "psk" | "certificate" | "eap" | "ppk";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "credential.expired";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onCredentialExpiring: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        /** Format: date-time */
                        expiresAt: string;
                        /** @enum {string} */
                        kind: "psk" | "certificate" | "eap" | "ppk";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "credential.expiring";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onCredentialIssued: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "credential.issued";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onCredentialRefused: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "credential.refused";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onCredentialRevoked: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "credential.revoked";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onCredentialRotated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        /** @description Id of a credential. */
                        formerCredentialId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "credential.rotated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDevice_authorityCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device_authority.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDevice_authorityDeleted: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device_authority.deleted";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDevice_authorityUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Names of fields. */
                        changed: string[];
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device_authority.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDeviceAttempt_failed: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        concentratorId: string;
                        /** @description How many since the event of this kind before. */
                        count: number;
                        /** Format: date-time */
                        firstAt: string;
                        /** @description It proved to be this device; false: somebody used its name, which anybody can. */
                        isProven: boolean;
                        /** Format: date-time */
                        lastAt: string;
                        /** @enum {string} */
                        reason: "no_proposal" | "authentication_failed" | "no_credential" | "credential_expired" | "credential_revoked" | "refused" | "no_address" | "protocol_error" | "timed_out" | "superseded" | "redirected" | "shutdown";
                        /** @description Where the last one came from. */
                        remoteAddress: string;
                        /**
                         * @description How far the last one came.
                         * @enum {string}
                         */
                        stage: "init" | "intermediate" | "auth" | "eap" | "attach" | "resume";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device.attempt_failed";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDeviceCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** Format: iccid */
                        iccid: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDeviceDeleted: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device.deleted";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDeviceMoved: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        address: string | null;
                        address6: string | null;
                        /** Format: date-time */
                        attachedAt: string;
                        concentratorId: string;
                        formerConcentratorId: string;
                        /** @description Outer address of the device, or of the NAT before it. */
                        formerRemoteAddress: string;
                        /** @description Outer address of the device, or of the NAT before it. */
                        remoteAddress: string;
                        remotePort: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device.moved";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDeviceOffline: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        address: string | null;
                        address6: string | null;
                        /** Format: date-time */
                        attachedAt: string;
                        /**
                         * @description Why it is away.
                         * @enum {string}
                         */
                        cause: "delete" | "liveness" | "revoked" | "detached" | "reauthentication" | "redirected" | "protocol_error" | "node_stopped" | "node_restarted" | "node_lost" | "unknown";
                        concentratorId: string;
                        /** Format: date-time */
                        detachedAt: string;
                        /** @description Outer address of the device, or of the NAT before it. */
                        remoteAddress: string;
                        remotePort: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device.offline";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDeviceOnline: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        address: string | null;
                        address6: string | null;
                        /** Format: date-time */
                        attachedAt: string;
                        concentratorId: string;
                        /** @description Outer address of the device, or of the NAT before it. */
                        remoteAddress: string;
                        remotePort: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device.online";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDeviceQuota_exhausted: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        limitBytes: number;
                        /** @enum {string} */
                        period: "day" | "month" | "total";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device.quota_exhausted";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onDeviceUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Names of fields. */
                        changed: string[];
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "device.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onGatewayDraining: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        gatewayId: string;
                        /** @description Tunnels of the organization that it has. */
                        tunnels: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "gateway.draining";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onGatewayLost: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        gatewayId: string;
                        /** @description Tunnels of the organization that it has. */
                        tunnels: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "gateway.lost";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onGatewayOnline: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        gatewayId: string;
                        /** @description Tunnels of the organization that it has. */
                        tunnels: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "gateway.online";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onGatewayStopped: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        gatewayId: string;
                        /** @description Tunnels of the organization that it has. */
                        tunnels: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "gateway.stopped";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onGrantCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "grant.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onGrantRevoked: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "grant.revoked";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onMemberInvited: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "member.invited";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onMemberJoined: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "member.joined";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onMemberRemoved: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "member.removed";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onMemberUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "member.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onNetworkCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        name: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "network.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onNetworkDeleted: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "network.deleted";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onNetworkUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Names of fields. */
                        changed: string[];
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "network.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onOperationCancelled: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        kind: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "operation.cancelled";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onOperationFailed: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        kind: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "operation.failed";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onOperationStarted: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        kind: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "operation.started";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onOperationSucceeded: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        kind: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "operation.succeeded";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onOrganizationUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Names of fields. */
                        changed: string[];
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "organization.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onRuleCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "rule.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onRuleDeleted: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "rule.deleted";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onRuleDisabled: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @enum {string} */
                        reason: "failures" | "maker_gone" | "permission_missing";
                        runId: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "rule.disabled";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onRuleRan: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        deviceId: string | null;
                        eventId: string;
                        runId: string;
                        /** @enum {string} */
                        state: "succeeded" | "failed";
                        /** @description Tunnels that it opened. */
                        tunnelIds: string[];
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "rule.ran";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onRuleUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Names of fields. */
                        changed: string[];
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "rule.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onSaRekeyed: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        concentratorId: string;
                        /** @description How many since the event of this kind before. */
                        count: number;
                        /** Format: date-time */
                        firstAt: string;
                        /**
                         * @description IKE SA or Child SA.
                         * @enum {string}
                         */
                        kind: "ike" | "child";
                        /** Format: date-time */
                        lastAt: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "sa.rekeyed";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onSsh_keyCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "ssh_key.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onSsh_keyDeleted: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "ssh_key.deleted";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onSsh_keyUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "ssh_key.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onTunnelClosed: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        reason: ("device_offline" | "requested" | "device_deleted" | "credential_revoked" | "lan_removed" | "grant_ended" | "opener_revoked" | "ttl_elapsed" | "quota" | "device_wait_timeout" | "no_free_port" | "listen_failed" | "gateway_lost" | "lan_not_carried" | "no_host_address") | null;
                        /** @constant */
                        state: "closed";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "tunnel.closed";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onTunnelDraining: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        reason: ("device_offline" | "requested" | "device_deleted" | "credential_revoked" | "lan_removed" | "grant_ended" | "opener_revoked" | "ttl_elapsed" | "quota" | "device_wait_timeout" | "no_free_port" | "listen_failed" | "gateway_lost" | "lan_not_carried" | "no_host_address") | null;
                        /** @constant */
                        state: "draining";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "tunnel.draining";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onTunnelExpired: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        reason: ("device_offline" | "requested" | "device_deleted" | "credential_revoked" | "lan_removed" | "grant_ended" | "opener_revoked" | "ttl_elapsed" | "quota" | "device_wait_timeout" | "no_free_port" | "listen_failed" | "gateway_lost" | "lan_not_carried" | "no_host_address") | null;
                        /** @constant */
                        state: "expired";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "tunnel.expired";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onTunnelFailed: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        reason: ("device_offline" | "requested" | "device_deleted" | "credential_revoked" | "lan_removed" | "grant_ended" | "opener_revoked" | "ttl_elapsed" | "quota" | "device_wait_timeout" | "no_free_port" | "listen_failed" | "gateway_lost" | "lan_not_carried" | "no_host_address") | null;
                        /** @constant */
                        state: "failed";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "tunnel.failed";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onTunnelOpened: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        ports: {
                            deviceHost: string | null;
                            devicePort: number;
                            /** @description Where to connect. */
                            host: string;
                            id: string;
                            port: number;
                        }[];
                        /** @constant */
                        state: "open";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "tunnel.opened";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onTunnelOpening: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        /** @constant */
                        state: "opening";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "tunnel.opening";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onTunnelRequested: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        /** @constant */
                        state: "requested";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "tunnel.requested";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onTunnelUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Names of fields. */
                        changed: string[];
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "tunnel.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onTunnelWaiting_for_device: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Id of a device. */
                        deviceId: string;
                        /** @constant */
                        state: "waiting_for_device";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "tunnel.waiting_for_device";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onUsage_thresholdCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "usage_threshold.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onUsage_thresholdDeleted: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "usage_threshold.deleted";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onUsage_thresholdUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Names of fields. */
                        changed: string[];
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "usage_threshold.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onUsageThreshold: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        deviceId: string | null;
                        limitBytes: number;
                        name: string;
                        percent: number;
                        /** @enum {string} */
                        period: "day" | "month";
                        /** Format: date-time */
                        since: string;
                        tag: string | null;
                        usedBytes: number;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "usage.threshold";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onWebhookCreated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "webhook.created";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onWebhookDeleted: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "webhook.deleted";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onWebhookDisabled: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @enum {string} */
                        reason: "requested" | "gone" | "failing";
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "webhook.disabled";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onWebhookEnabled: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "webhook.enabled";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onWebhookFailing: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** Format: date-time */
                        failingSince: string;
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "webhook.failing";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onWebhookRotated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "webhook.rotated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onWebhookTest: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: Record<string, never>;
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "webhook.test";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    onWebhookUpdated: {
        parameters: {
            query?: never;
            header: {
                /** @description Id of the event, the same at every attempt: process each only once. */
                "webhook-id": string;
                /** @description Signatures over `{webhook-id}.{webhook-timestamp}.{raw body}`, separated by spaces; one that fits is enough. `v1,` is HMAC-SHA256 in base64, `v1a,` is Ed25519. */
                "webhook-signature": string;
                /** @description Unix time in seconds of this attempt: refuse what is more than five minutes away. */
                "webhook-timestamp": number;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": {
                    data: {
                        /** @description Names of fields. */
                        changed: string[];
                    };
                    /** @description The same as in `webhook-id`, and the same at every attempt to deliver it. */
                    id: string;
                    resourceId: string;
                    /** @description Grows by one with every event of the resource: drop what is older than what you have. */
                    sequence: number;
                    /** Format: date-time */
                    timestamp: string;
                    /** @constant */
                    type: "webhook.updated";
                };
            };
        };
        responses: {
            /** @description Taken. Anything else, or no answer within 15 seconds, is tried again later. */
            "2XX": {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Gone: the endpoint is switched off. */
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}
