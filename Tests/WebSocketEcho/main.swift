import Foundation
import NIOCore
import NIOPosix
import RopewalkRelay

// Sends back what comes over the relay's own WebSocket layer, so that conformance suites can be run against
// it. Unlike the relay it takes text, which `TextAsBinary` leads past a layer that knows none.
//
//   WebSocketEcho [LARGEST]

let largest = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 32 << 20
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let server = try ServerBootstrap(group: group)
  .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
  .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
  .childChannelInitializer { channel in
    channel.eventLoop.makeCompletedFuture { try Echo.prepare(channel, largest: largest) }
  }
  .bind(host: "127.0.0.1", port: 0).wait()
let line = "listening on ws://127.0.0.1:\(server.localAddress?.port ?? 0)/\n"
FileHandle.standardOutput.write(Data(line.utf8))
try server.closeFuture.wait()
