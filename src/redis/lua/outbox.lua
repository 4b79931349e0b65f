-- How long an event stays for readers that come late, in milliseconds.
local EVENT_LIFETIME = 7 * 24 * 3600 * 1000

-- How many audit entries are kept in the list of the user who made them.
local ACTIVITY_LENGTH = 1000

-- Notes an audit entry under its user, if it has one: the key stands beside the audit's, in the same slot. In a list, as a
-- stream takes four KiB for its first entry.
local function note_activity(audit_key, entry, id)
    for n = 1, #entry, 2 do
        if entry[n] == 'userId' then
            local key = audit_key:gsub('audit$', 'user:' .. entry[n + 1] .. ':audit')
            if redis.call('LPUSH', key, id) > ACTIVITY_LENGTH then redis.call('LTRIM', key, 0, ACTIVITY_LENGTH - 1) end
            return
        end
    end
end

-- Wakes those who wait for a tenant's events, where there are any. Beside the events, in the same slot:
--   <events>:subscribers  set     consumers that workers hand them over to
--   <events>:listeners    string  somebody has a live stream of them; it expires by itself
local function wake_readers(events_key)
    local subscribers, listeners = events_key .. ':subscribers', events_key .. ':listeners'
    if redis.call('EXISTS', subscribers, listeners) == 0 then return end
    if redis.call('EXISTS', listeners) == 1 then redis.call('PUBLISH', events_key, '') end
    if redis.call('EXISTS', subscribers) == 1 then
        redis.call('PUBLISH', 'events:waiting', (events_key:match('{(.-)}')))
    end
end

-- Which account a change concerns, by its event: a user, `tenant` for the tenant itself, `*` for all of them, or nil.
local function account_of(event)
    local fields = {}
    for n = 1, #event, 2 do fields[event[n]] = event[n + 1] end
    local resource = fields.type:match('^%a+')
    if resource == 'tenant' then return 'tenant' end
    if resource == 'user' or resource == 'profile' then return cjson.decode(fields.data).userId end
    if fields.type == 'backup.restored' or fields.type == 'backup.restore_failed' then return '*' end
end

-- Notes accounts that have changed, each with how often, for the directory of all tenants; it takes the notes away when it
-- has written what it read after them. They stand beside the events, in the same slot. The platform's own are not in it.
local function note_accounts(events_key, events)
    local tenant, is_noted = events_key:match('{(.-)}'), false
    for _, event in ipairs(events) do
        local account = tenant ~= 'platform' and account_of(event)
        if account then
            redis.call('HINCRBY', (events_key:gsub('events$', 'accounts:changed')), account, 1)
            is_noted = true
        end
    end
    if is_noted then redis.call('PUBLISH', 'accounts:changed', tenant) end
end

-- Appends a change's events and audit entries, each a flat list of field, value, field, value.
local function append_entries(events_key, audit_key, entries, at)
    for _, event in ipairs(entries.events) do
        redis.call('XADD', events_key, 'MINID', '~', string.format('%d', at - EVENT_LIFETIME), '*', unpack(event))
    end
    if #entries.events > 0 then wake_readers(events_key) end
    note_accounts(events_key, entries.events)
    for _, entry in ipairs(entries.audit) do
        note_activity(audit_key, entry, redis.call('XADD', audit_key, '*', unpack(entry)))
    end
end
