-- How long an event stays for readers that come late, in milliseconds.
local EVENT_LIFETIME = 7 * 24 * 3600 * 1000

-- Appends a change's events and audit entries, each a flat list of field, value, field, value.
local function append_entries(events_key, audit_key, entries, at)
    for _, event in ipairs(entries.events) do
        redis.call('XADD', events_key, 'MINID', '~', string.format('%d', at - EVENT_LIFETIME), '*', unpack(event))
    end
    for _, entry in ipairs(entries.audit) do redis.call('XADD', audit_key, '*', unpack(entry)) end
end
