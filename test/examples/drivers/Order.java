import java.net.InetAddress;

/** The addresses of a name in the order in which Java's drivers try them. `java Order.java NAME` */
public class Order {
    public static void main(String[] args) throws Exception {
        for (InetAddress address : InetAddress.getAllByName(args[0])) System.out.println(address.getHostAddress());
    }
}
