-- Looks whether a record may be changed: 1 yes, 0 it does not exist or belongs to somebody else, -1 another revision.
local function guard(key, change)
    local revision, owner = unpack(redis.call('HMGET', key, 'revision', change.ownerField or 'revision'))
    if not revision then return 0 end
    if change.ownerField and owner ~= change.ownerId then return 0 end
    if change.revision and revision ~= change.revision then return -1 end
    return 1
end
