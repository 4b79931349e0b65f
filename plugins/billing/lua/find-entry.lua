-- The entry of the ledger that a member of the index leads to.
local function entry_of(keys, member)
    local time, sequence = member:match(':(%d+)-(%d+)$')
    local id = time .. '-' .. string.format('%d', sequence)
    return redis.call('XRANGE', keys.credits .. ':ledger', id, id)[1]
end

-- The first entry about something, or nil. No member of anything else lies between the two bounds: `:` comes after `9`.
local function find_entry(keys, about)
    local range = { '[' .. about .. ':0', '[' .. about .. '::' }
    local member = redis.call('ZRANGEBYLEX', keys.credits .. ':index', range[1], range[2], 'LIMIT', 0, 1)[1]
    return member and entry_of(keys, member)
end
