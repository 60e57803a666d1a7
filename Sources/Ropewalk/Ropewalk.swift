@_exported import RopewalkClient
@_exported import RopewalkCore
@_exported import RopewalkReplica
@_exported import RopewalkSync
