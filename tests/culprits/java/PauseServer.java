// SPDX-License-Identifier: BSD-2-Clause
// A server whose collector is always at work (field case 12): millions of live objects, and full collections back to
// back. A handler reads a byte and then has a few seconds of work to do, of which it gets little done.
// Run with: java -Xmx256m -XX:+UseSerialGC PauseServer.java
// Prints {"ready":true,"pid":P,"port":N}; ends when its stdin does.

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

public class PauseServer {
    static final class Node {
        final Node next;

        Node(Node next) {
            this.next = next;
        }
    }

    static final int LIVE = 4_000_000;
    static Node live;
    static volatile long result;

    public static void main(String[] args) throws IOException {
        for (int i = 0; i < LIVE; i++) live = new Node(live);
        ServerSocket listener = new ServerSocket(0, 128, InetAddress.getByName("127.0.0.1"));
        start("acceptor", () -> accept(listener));
        start("trigger", () -> {
            while (true) System.gc();
        });
        System.out.println("{\"ready\":true,\"pid\":" + ProcessHandle.current().pid()
                + ",\"port\":" + listener.getLocalPort() + "}");
        System.out.flush();
        while (System.in.read() >= 0) { }
        Runtime.getRuntime().halt(0);
    }

    static void start(String name, Runnable body) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        thread.start();
    }

    static void accept(ServerSocket listener) {
        while (true) {
            try {
                Socket session = listener.accept();
                start("handler", () -> handle(session));
            } catch (IOException e) {
                System.err.println(e);
            }
        }
    }

    static void handle(Socket session) {
        try (session) {
            session.getInputStream().read();
            for (long i = 0; i < 200_000_000_000L; i++) result = i;
        } catch (IOException e) {
            System.err.println(e);
        }
    }
}
