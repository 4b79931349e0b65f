-- Ends those sessions of a user and tells of each in the events and in the audit; gives the number that were alive.
-- `entry` is {userId, audit: [field, value, …]}, the audit entry of any of them.
local function end_sessions(order_key, prefix, ids, entry, events_key, audit_key, at)
    local ended = 0
    for _, id in ipairs(ids) do
        redis.call('ZREM', order_key, id)
        if redis.call('UNLINK', prefix .. id) == 1 then
            ended = ended + 1
            for n = 1, #entry.audit, 2 do
                if entry.audit[n] == 'resourceId' then entry.audit[n + 1] = id end
            end
            local data = cjson.encode({ userId = entry.userId, sessionId = id })
            local event = { 'type', 'auth.session_ended', 'data', data }
            append_entries(events_key, audit_key, { events = { event }, audit = { entry.audit } }, at)
        end
    end
    return ended
end
